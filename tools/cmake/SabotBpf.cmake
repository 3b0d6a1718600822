# SPDX-License-Identifier: Apache-2.0
# sabot_bpf(NAME): compiles bpf/NAME.bpf.c and makes the bpftool skeleton "NAME.skel.h" in an interface library
# bpf_NAME. Only the loader links it.

find_program(SABOT_CLANG NAMES clang-14 clang REQUIRED)
find_program(SABOT_LLVM_STRIP NAMES llvm-strip-14 llvm-strip REQUIRED)
find_program(SABOT_BPFTOOL NAMES bpftool PATHS /usr/sbin REQUIRED)

function(sabot_bpf name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}.bpf.c)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(header ${CMAKE_CURRENT_BINARY_DIR}/gen/${name}.skel.h)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/gen)
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${SABOT_CLANG} -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Werror -Wno-unused-parameter
            -I ${PROJECT_SOURCE_DIR} -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
            -MMD -MF ${object}.d -c ${source} -o ${object}
    COMMAND ${SABOT_LLVM_STRIP} -g ${object}
    DEPENDS ${source}
    DEPFILE ${object}.d
    VERBATIM)
  add_custom_command(
    OUTPUT ${header}
    COMMAND ${SABOT_BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${header}
    DEPENDS ${object}
    VERBATIM)
  add_custom_target(bpf_${name}_skeleton DEPENDS ${header})
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skeleton)
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/gen)
endfunction()
