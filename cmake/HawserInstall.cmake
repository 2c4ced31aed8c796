# Install rules: one export file per component, the package configuration, pkg-config files, CPack.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(HAWSER_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/hawser")
# Relative, so that an installation can be moved.
file(RELATIVE_PATH HAWSER_PKGCONFIG_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" HAWSER_PKGCONFIG_TO_PREFIX "${HAWSER_PKGCONFIG_TO_PREFIX}")
get_property(HAWSER_COMPONENTS GLOBAL PROPERTY HAWSER_COMPONENTS)
get_property(HAWSER_TOPOLOGY_USES GLOBAL PROPERTY HAWSER_TOPOLOGY_USES)
get_property(HAWSER_RUNTIME_USES GLOBAL PROPERTY HAWSER_RUNTIME_USES)
string(REPLACE "OPENSSL" "libssl libcrypto" HAWSER_RUNTIME_REQUIRES "${HAWSER_RUNTIME_USES}")
# The pkg-config names of what hawser::topology was built with; nlohmann-json leaves no trace in it.
set(HAWSER_TOPOLOGY_REQUIRES ${HAWSER_TOPOLOGY_USES})
list(REMOVE_ITEM HAWSER_TOPOLOGY_REQUIRES JSON)
list(TRANSFORM HAWSER_TOPOLOGY_REQUIRES REPLACE "^XML$" "pugixml")
list(TRANSFORM HAWSER_TOPOLOGY_REQUIRES REPLACE "^YAML$" "yaml-cpp")
list(TRANSFORM HAWSER_TOPOLOGY_REQUIRES REPLACE "^HWLOC$" "hwloc")
list(TRANSFORM HAWSER_TOPOLOGY_REQUIRES REPLACE "^IBNETDISC$" "libibnetdisc libibmad libibumad")
list(JOIN HAWSER_TOPOLOGY_REQUIRES " " HAWSER_TOPOLOGY_REQUIRES)

foreach(component IN LISTS HAWSER_COMPONENTS)
  install(TARGETS hawser_${component} EXPORT hawser-${component}
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development
    FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)
  install(EXPORT hawser-${component} NAMESPACE hawser:: FILE hawser-${component}-targets.cmake
    DESTINATION "${HAWSER_CMAKE_DIR}" COMPONENT development)
  if(EXISTS "${PROJECT_SOURCE_DIR}/cmake/pkgconfig/hawser-${component}.pc.in")
    configure_file(cmake/pkgconfig/hawser-${component}.pc.in pkgconfig/hawser-${component}.pc @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/pkgconfig/hawser-${component}.pc"
      DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
  endif()
endforeach()
if(TARGET hawser_program)
  install(TARGETS hawser_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
endif()

configure_package_config_file(cmake/hawserConfig.cmake.in hawserConfig.cmake INSTALL_DESTINATION "${HAWSER_CMAKE_DIR}")
write_basic_package_version_file(hawserConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/hawserConfig.cmake" "${PROJECT_BINARY_DIR}/hawserConfigVersion.cmake"
  DESTINATION "${HAWSER_CMAKE_DIR}" COMPONENT development)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)

if(PROJECT_IS_TOP_LEVEL)
  include(HawserPackage)
endif()
