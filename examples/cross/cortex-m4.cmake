# Cortex-M4, with Debian's gcc-arm-none-eabi, libstdc++-arm-none-eabi-dev and libnewlib-dev:
#   cmake -B build --toolchain cortex-m4.cmake -DCMAKE_PREFIX_PATH=WHERE_RPMSG_IS_INSTALLED
# That is not /usr: its include path has the host's headers.
# For another processor: the machine in the .ini file of its name.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # a program needs more than a compiler

set(machine "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft")
string(
    CONCAT CMAKE_CXX_FLAGS_INIT
    "${machine} -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics"
    " -ffunction-sections -fdata-sections"
)
# Nothing of a C library: the project has start-up code and memcpy of its own.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostartfiles -nodefaultlibs -Wl,--gc-sections -Wl,--no-warn-rwx-segments")
set(CMAKE_CXX_STANDARD_LIBRARIES -lgcc)
