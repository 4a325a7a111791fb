// Where the files of a target belong.
#pragma once

/// The directory that is empty at the start of each execution and removed after the last one; null if there is
/// none. Defined by the controller (src/control/directory.rs).
extern "C" const char *threadbare_directory() noexcept;
