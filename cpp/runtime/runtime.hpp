// All of the runtime.
#pragma once

#include "runtime/async_mutex.hpp"
#include "runtime/async_semaphore.hpp"
#include "runtime/barrier.hpp"
#include "runtime/channel.hpp"
#include "runtime/event.hpp"
#include "runtime/latch.hpp"
#include "runtime/lease.hpp"
#include "runtime/scheduler.hpp"
#include "runtime/start.hpp"
#include "runtime/task.hpp"
#include "runtime/this_task.hpp"
#include "runtime/when_all.hpp"
#include "runtime/when_any.hpp"
