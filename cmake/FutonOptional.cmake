# SPDX-License-Identifier: Apache-2.0
# The parts of futon that need a library which nobody else needs: futon::etcd and futon::zookeeper. Each function defines its
# target if the library is there.

set(futon_etcd_needs "libcurl or nlohmann-json (Debian: libcurl4-openssl-dev, nlohmann-json3-dev)")
set(futon_zookeeper_needs "the ZooKeeper C client (Debian: libzookeeper-mt-dev)")

function(futon_add_etcd)
  find_package(CURL QUIET GLOBAL)
  find_package(nlohmann_json CONFIG QUIET GLOBAL)
  if(TARGET CURL::libcurl AND TARGET nlohmann_json::nlohmann_json)
    add_library(futon::etcd INTERFACE IMPORTED GLOBAL)
    target_link_libraries(futon::etcd INTERFACE futon::futon CURL::libcurl nlohmann_json::nlohmann_json)
  endif()
endfunction()

function(futon_add_zookeeper)
  # Neither CMake nor pkg-config knows it.
  find_path(FUTON_ZOOKEEPER_INCLUDE_DIR zookeeper/zookeeper.h DOC "Directory of zookeeper/zookeeper.h")
  find_library(FUTON_ZOOKEEPER_LIBRARY zookeeper_mt DOC "The ZooKeeper C client, with threads")
  mark_as_advanced(FUTON_ZOOKEEPER_INCLUDE_DIR FUTON_ZOOKEEPER_LIBRARY)
  if(FUTON_ZOOKEEPER_INCLUDE_DIR AND FUTON_ZOOKEEPER_LIBRARY)
    add_library(futon::zookeeper INTERFACE IMPORTED GLOBAL)
    target_include_directories(futon::zookeeper SYSTEM INTERFACE "${FUTON_ZOOKEEPER_INCLUDE_DIR}")
    target_link_libraries(futon::zookeeper INTERFACE futon::futon "${FUTON_ZOOKEEPER_LIBRARY}")
  endif()
endfunction()
