#pragma once

#include "support/catch.hpp"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

namespace platform_test {

/// A folder that looks to char_bus as /dev and /sys do. A node is a FIFO: what is written to it comes back.
class fake_rpmsg {
public:
    fake_rpmsg()
    {
        std::string made = (std::filesystem::temp_directory_path() / "rpmsg-char-XXXXXX").string();
        REQUIRE(::mkdtemp(made.data()) != nullptr);
        root_ = made;
        for (const auto* const folder : {"sys/class/rpmsg", "sys/bus/rpmsg/devices", "dev"})
            std::filesystem::create_directories(root_ / folder);
    }
    fake_rpmsg(const fake_rpmsg&) = delete;
    fake_rpmsg& operator=(const fake_rpmsg&) = delete;
    ~fake_rpmsg() { std::filesystem::remove_all(root_); }

    [[nodiscard]] const char* root() const { return root_.c_str(); }

    /// /dev/rpmsg_ctrlN of a virtio device such as "platform/remoteproc0/virtio0".
    void add_control(int number, const std::string& virtio)
    {
        const auto name = "rpmsg_ctrl" + std::to_string(number);
        device("class/rpmsg", name, virtio + "/" + "virtio.rpmsg_ctrl.0.0/rpmsg/" + name);
        std::ofstream{root_ / "dev" / name};
    }
    void add_node(int number, const std::string& in, const std::string& service, std::int64_t source,
                  std::int64_t destination)
    {
        const auto name = "rpmsg" + std::to_string(number);
        const auto folder = device("class/rpmsg", name, in + "/rpmsg/" + name);
        write(folder / "name", service);
        write(folder / "src", std::to_string(source));
        write(folder / "dst", std::to_string(destination));
        REQUIRE(::mkfifo((root_ / "dev" / name).c_str(), 0600) == 0);
    }
    /// A channel, with the driver that it is bound to.
    void add_channel(const std::string& entry, const std::string& virtio, const std::string& service,
                     const std::string& source, const std::string& destination,
                     const std::string& driver = "")
    {
        const auto folder = device("bus/rpmsg/devices", entry, virtio + "/" + entry);
        write(folder / "name", service);
        write(folder / "src", source);
        write(folder / "dst", destination);
        if (!driver.empty())
            std::filesystem::create_symlink("../../../../bus/rpmsg/drivers/" + driver, folder / "driver");
    }
    void remove(const std::string& name)
    {
        for (const auto* const listed : {"sys/class/rpmsg", "sys/bus/rpmsg/devices"}) {
            const auto link = root_ / listed / name;
            if (std::filesystem::is_symlink(link)) {
                std::filesystem::remove_all(std::filesystem::canonical(link));
                std::filesystem::remove(link);
            }
        }
        std::filesystem::remove(root_ / "dev" / name);
    }

private:
    std::filesystem::path device(const std::string& listed, const std::string& name, const std::string& path)
    {
        const auto folder = root_ / "sys/devices" / path;
        std::filesystem::create_directories(folder);
        const auto up = listed == "class/rpmsg" ? "../../devices" : "../../../devices";
        std::filesystem::create_directory_symlink(std::filesystem::path{up} / path,
                                                  root_ / "sys" / listed / name);
        return folder;
    }
    static void write(const std::filesystem::path& file, const std::string& text)
    {
        std::ofstream{file} << text << "\n";
    }

    std::filesystem::path root_;
};

}  // namespace platform_test
