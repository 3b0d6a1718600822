# SPDX-License-Identifier: Apache-2.0
# sabot_library(NAME sources...) and sabot_executable(NAME sources...): targets with the project's warnings and
# include root. Every header is included by its path from the top of the tree.

set(SABOT_WARNINGS -Wall -Wextra -Werror -Wno-missing-field-initializers)

function(sabot_target name)
  target_compile_options(${name} PRIVATE ${SABOT_WARNINGS})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

function(sabot_library name)
  add_library(${name} STATIC ${ARGN})
  sabot_target(${name})
endfunction()

function(sabot_executable name)
  add_executable(${name} ${ARGN})
  sabot_target(${name})
endfunction()

# sabot_test(NAME sources... LIBS libs...): a GoogleTest binary, registered with ctest case by case.
function(sabot_test name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  sabot_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS unit SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
endfunction()

# sabot_fuzzer(NAME source LIBS libs...): a libFuzzer target; its corpus, where it has one, is tests/fuzz/corpus/NAME.
function(sabot_fuzzer name source)
  if(NOT SABOT_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  sabot_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
