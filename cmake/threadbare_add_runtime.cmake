# threadbare_add_runtime(NAME SOURCES files… [LINK targets…] [THREADS counts…] [SANITIZERS names…])
#
# Declares a coroutine runtime behind an adapter (docs/runtimes.md). Writes a threadbare.toml for it into the build folder,
# and adds the tests `NAME.conformance`, which goes through the conformance list, and `NAME.explore`, a short campaign.
# What the targets of LINK offer to those that use them (include directories, definitions, options, libraries) the runtime
# gets too: threadbare compiles SOURCES itself, so list the sources of what it is to see.
function(threadbare_add_runtime name)
  cmake_parse_arguments(PARSE_ARGV 1 RUNTIME "" "" "SOURCES;LINK;THREADS;SANITIZERS")
  if(NOT RUNTIME_SOURCES)
    message(FATAL_ERROR "threadbare_add_runtime(${name}): no SOURCES; list the adapter, and what of the runtime is compiled")
  endif()
  if(RUNTIME_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "threadbare_add_runtime(${name}): what is ${RUNTIME_UNPARSED_ARGUMENTS}? It takes SOURCES, LINK, "
                        "THREADS and SANITIZERS")
  endif()
  if(NOT THREADBARE_EXECUTABLE)
    find_program(THREADBARE_EXECUTABLE threadbare)
  endif()
  if(NOT THREADBARE_EXECUTABLE)
    message(FATAL_ERROR "threadbare_add_runtime(${name}): no threadbare on PATH; set THREADBARE_EXECUTABLE")
  endif()

  set(sources "")
  foreach(source IN LISTS RUNTIME_SOURCES)
    get_filename_component(source "${source}" ABSOLUTE)
    list(APPEND sources "\"${source}\"")
  endforeach()
  list(JOIN sources ", " sources)

  # An interface target of all that is linked has what they offer, transitively, in its generator expressions.
  set(flags "")
  if(RUNTIME_LINK)
    set(all threadbare_runtime_${name})
    add_library(${all} OBJECT EXCLUDE_FROM_ALL ${RUNTIME_SOURCES})
    target_link_libraries(${all} PRIVATE ${RUNTIME_LINK})
    foreach(property IN ITEMS INCLUDE_DIRECTORIES COMPILE_DEFINITIONS)
      set(value "$<TARGET_PROPERTY:${all},${property}>")
      set(option "$<IF:$<STREQUAL:${property},INCLUDE_DIRECTORIES>,-I,-D>")
      string(APPEND flags "$<$<BOOL:${value}>:\"${option}$<JOIN:${value},\"$<COMMA> \"${option}>\"$<COMMA> >")
    endforeach()
    set(value "$<TARGET_PROPERTY:${all},COMPILE_OPTIONS>")
    string(APPEND flags "$<$<BOOL:${value}>:\"$<JOIN:${value},\"$<COMMA> \">\"$<COMMA> >")
  endif()

  set(keys "")
  if(RUNTIME_THREADS)
    list(JOIN RUNTIME_THREADS ", " threads)
    string(APPEND keys "threads = [${threads}]\n")
  endif()
  if(RUNTIME_SANITIZERS)
    list(JOIN RUNTIME_SANITIZERS "\", \"" sanitizers)
    string(APPEND keys "sanitizers = [\"${sanitizers}\"]\n")
  endif()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${name}.threadbare")
  file(GENERATE OUTPUT "${folder}/threadbare.toml"
       CONTENT "[runtime.${name}]\nsources = [${sources}]\nflags = [${flags}]\n${keys}")

  add_test(NAME ${name}.conformance COMMAND "${THREADBARE_EXECUTABLE}" runtime check "${folder}")
  add_test(NAME ${name}.explore
           COMMAND "${THREADBARE_EXECUTABLE}" fuzz --runtime ${name} --executions 20000 --seed 1
           WORKING_DIRECTORY "${folder}")
endfunction()
