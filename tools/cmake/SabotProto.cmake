# SPDX-License-Identifier: Apache-2.0
# sabot_proto(NAME [GRPC] files...): a library of C++ made by protoc from .proto files below proto/.
# Headers are included as "sabot/v1/fault.pb.h".

find_program(SABOT_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)

function(sabot_proto name)
  cmake_parse_arguments(ARG "GRPC" "" "" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/gen)
  file(MAKE_DIRECTORY ${out})
  set(sources)
  foreach(file IN LISTS ARG_UNPARSED_ARGUMENTS)
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    set(made ${out}/${stem}.pb.cc ${out}/${stem}.pb.h)
    set(plugin)
    if(ARG_GRPC)
      list(APPEND made ${out}/${stem}.grpc.pb.cc ${out}/${stem}.grpc.pb.h)
      set(plugin --grpc_out=${out} --plugin=protoc-gen-grpc=${SABOT_GRPC_PLUGIN})
    endif()
    add_custom_command(
      OUTPUT ${made}
      COMMAND protobuf::protoc --cpp_out=${out} ${plugin} -I ${PROJECT_SOURCE_DIR}/proto ${file}
      DEPENDS ${PROJECT_SOURCE_DIR}/proto/${file}
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}/proto
      VERBATIM)
    list(APPEND sources ${made})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} SYSTEM PUBLIC ${out})
  target_link_libraries(${name} PUBLIC protobuf::libprotobuf)
  if(ARG_GRPC)
    target_link_libraries(${name} PUBLIC PkgConfig::grpcpp)
  endif()
endfunction()
