# threadbare in a project of CMake's: `find_package(threadbare)` before the targets that are to be explored, and
# threadbare_add_test() for each program. `threadbare install` puts this file where CMake looks; docs/projects.md has examples.
find_program(THREADBARE_EXECUTABLE threadbare HINTS "${CMAKE_CURRENT_LIST_DIR}/../../../bin")
if(NOT THREADBARE_EXECUTABLE)
  set(threadbare_FOUND FALSE)
  set(threadbare_NOT_FOUND_MESSAGE
      "there is no program threadbare on PATH; install it with `cargo install`, or name it in THREADBARE_EXECUTABLE")
  return()
endif()
if(CMAKE_VERSION VERSION_LESS 3.21)
  set(threadbare_FOUND FALSE)
  set(threadbare_NOT_FOUND_MESSAGE "CMake ${CMAKE_VERSION} has no launchers for linkers; 3.21 has")
  return()
endif()
set(threadbare_FOUND TRUE)

# What is compiled and linked from here on is known to threadbare, also where its wrappers are not the compilers.
foreach(threadbare_language IN ITEMS C CXX)
  if(CMAKE_${threadbare_language}_COMPILER AND NOT CMAKE_${threadbare_language}_COMPILER MATCHES "/threadbare-c[^/]*$"
     AND NOT "launch" IN_LIST CMAKE_${threadbare_language}_COMPILER_LAUNCHER)
    set(CMAKE_${threadbare_language}_COMPILER_LAUNCHER "${THREADBARE_EXECUTABLE};launch;${CMAKE_${threadbare_language}_COMPILER_LAUNCHER}")
    set(CMAKE_${threadbare_language}_LINKER_LAUNCHER "${THREADBARE_EXECUTABLE};launch;${CMAKE_${threadbare_language}_LINKER_LAUNCHER}")
    string(REGEX REPLACE ";$" "" CMAKE_${threadbare_language}_COMPILER_LAUNCHER "${CMAKE_${threadbare_language}_COMPILER_LAUNCHER}")
    string(REGEX REPLACE ";$" "" CMAKE_${threadbare_language}_LINKER_LAUNCHER "${CMAKE_${threadbare_language}_LINKER_LAUNCHER}")
  endif()
endforeach()

# threadbare_add_test(NAME name TARGET executable
#   [ARGS argument...]        arguments of its main
#   [EACH_TEST]               each test of its framework as a target of its own
#   [EXECUTIONS count]        how many schedules; else for ten seconds
#   [SANITIZERS none|thread|address...]
#   [OPTIONS option...])      others of `threadbare check`
# registers a test of ctest's that explores the schedules of an executable of the project. Cases of what is found lie in
# `findings` of the build directory.
function(threadbare_add_test)
  cmake_parse_arguments(PARSE_ARGV 0 own "EACH_TEST" "NAME;TARGET;EXECUTIONS" "ARGS;SANITIZERS;OPTIONS")
  if(NOT own_NAME OR NOT own_TARGET)
    message(FATAL_ERROR "threadbare_add_test: NAME and TARGET are needed")
  endif()
  if(own_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "threadbare_add_test: unknown argument ${own_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT TARGET ${own_TARGET})
    message(FATAL_ERROR "threadbare_add_test: there is no target ${own_TARGET}; call it after add_executable")
  endif()
  set(options --findings "${CMAKE_BINARY_DIR}/findings" ${own_OPTIONS})
  if(own_EXECUTIONS)
    list(APPEND options --executions ${own_EXECUTIONS})
  endif()
  if(own_SANITIZERS)
    list(JOIN own_SANITIZERS "," sanitizers)
    list(APPEND options --sanitizer ${sanitizers})
  endif()
  if(own_EACH_TEST)
    list(APPEND options --each-test)
  endif()
  if(own_ARGS)
    list(APPEND options -- ${own_ARGS})
  endif()
  add_test(NAME ${own_NAME} COMMAND "${THREADBARE_EXECUTABLE}" check "$<TARGET_FILE:${own_TARGET}>" ${options})
  set_tests_properties(${own_NAME} PROPERTIES LABELS threadbare)
endfunction()

include("${CMAKE_CURRENT_LIST_DIR}/threadbare_add_runtime.cmake")
