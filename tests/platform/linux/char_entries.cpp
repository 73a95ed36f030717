#include <rpmsg/platform/linux/char_entries.hpp>

#include "fake_rpmsg.hpp"
#include "support/catch.hpp"

#include <map>
#include <string>

using namespace rpmsg::platform;
using platform_test::fake_rpmsg;
using rpmsg::address;
using rpmsg::errc;

namespace {

std::map<std::string, char_entry> all(const fake_rpmsg& fake, const char* which)
{
    std::map<std::string, char_entry> found;
    char_entry one;
    for (char_entries entries{fake.root(), which}; entries.next(one);)
        found[std::string{one.entry.view()}] = one;
    return found;
}

char_entry on(std::string_view path)
{
    char_entry made;
    made.path = short_text<256>{path};
    return made;
}

}  // namespace

TEST_CASE("devices are what sysfs says", "[platform]")
{
    fake_rpmsg fake;
    fake.add_control(0, "platform/remoteproc1/rproc-virtio.3.auto/virtio2");
    fake.add_node(3, "platform/remoteproc1/rproc-virtio.3.auto/virtio2/virtio2.rpmsg-raw.-1.1024",
                  "rpmsg-raw", 1024, -1);
    fake.add_channel("virtio2.rpmsg-raw.-1.1024", "platform/remoteproc1/rproc-virtio.3.auto/virtio2",
                     "rpmsg-raw", "0xffffffff", "0x400", "rpmsg_chrdev");
    fake.add_channel("virtio2.plain.-1.30", "platform/remoteproc1/rproc-virtio.3.auto/virtio2", "plain",
                     "0x80000001", "0x1e");

    const auto of_class = all(fake, char_folder::class_of);
    REQUIRE(of_class.size() == 2);
    const auto& control = of_class.at("rpmsg_ctrl0");
    CHECK(control.control() == 0);
    CHECK(control.node() == -1);
    CHECK(control.bus() == "platform/remoteproc1/rproc-virtio.3.auto/virtio2");
    CHECK(control.remote() == "platform/remoteproc1");

    const auto& node = of_class.at("rpmsg3");
    CHECK(node.node() == 3);
    CHECK(node.control() == -1);
    CHECK(node.name.view() == "rpmsg-raw");
    CHECK(node.source == address{1024});
    CHECK(node.destination.is_any());  // as -1
    CHECK(node.bus() == control.bus());
    CHECK(node.is_on("virtio2.rpmsg-raw.-1.1024"));

    const auto channels = all(fake, char_folder::channels);
    REQUIRE(channels.size() == 2);
    CHECK(channels.at("virtio2.rpmsg-raw.-1.1024").source.is_any());  // as 0xffffffff
    CHECK(channels.at("virtio2.rpmsg-raw.-1.1024").driver.view() == "rpmsg_chrdev");
    CHECK(channels.at("virtio2.plain.-1.30").source == address{0x8000'0001});
    CHECK(channels.at("virtio2.plain.-1.30").destination == address{30});
    CHECK(channels.at("virtio2.plain.-1.30").driver.empty());
}

TEST_CASE("a part of a path is a whole one", "[platform]")
{
    const auto uml = on("platform/virtio-uml.0/virtio0/virtio0.rpmsg_ctrl.0.0/rpmsg/rpmsg_ctrl0");
    CHECK(uml.bus() == "platform/virtio-uml.0/virtio0");
    CHECK(uml.remote() == "platform/virtio-uml.0");
    CHECK(uml.is_on("virtio0"));
    CHECK(uml.is_on("platform"));
    CHECK(uml.is_on("rpmsg_ctrl0"));
    CHECK_FALSE(uml.is_on("virtio"));
    CHECK_FALSE(uml.is_on("rpmsg_ctrl"));
    CHECK_FALSE(uml.is_on(""));
    CHECK(on("virtio12/x").bus() == "virtio12");
    CHECK(on("virtio12/x").remote().empty());
    CHECK(on("a/b/c").bus() == "a/b/c");
    CHECK(on("soc/remoteproc/remoteproc10/virtio3").remote() == "soc/remoteproc/remoteproc10");
    CHECK(on("").bus().empty());
}

TEST_CASE("a number is all of what follows, and one that fits", "[platform]")
{
    char_entry one;
    const auto number = [&](std::string_view entry) {
        one.entry = short_text<96>{entry};
        return one.node();
    };
    CHECK(number("rpmsg0") == 0);
    CHECK(number("rpmsg1048575") == 1'048'575);
    CHECK(number("rpmsg99999999") == -1);
    CHECK(number("rpmsg") == -1);
    CHECK(number("rpmsg_ctrl0") == -1);
    CHECK(number("rpmsg1x") == -1);
    CHECK(number("ttyRPMSG0") == -1);
}

TEST_CASE("where there is no folder, or an entry goes away, there is nothing", "[platform]")
{
    fake_rpmsg fake;
    CHECK(all(fake, "/sys/class/none").empty());
    fake.add_control(0, "virtio0");
    fake.add_node(0, "virtio0", "x", 1, 2);
    std::filesystem::remove(std::string{fake.root()} + "/sys/class/rpmsg/rpmsg0/dst");
    CHECK(all(fake, char_folder::class_of).size() == 1);
    CHECK(char_folder::open(std::string(600, 'x').c_str(), "/dev").error() == errc::system);
    CHECK(errno == ENAMETOOLONG);
}

TEST_CASE("a text in place is cut where it does not fit", "[platform]")
{
    CHECK(short_text<4>{"abcdef"}.view() == "abc");
    CHECK(std::string{short_text<4>{"abcdef"}.c_str()} == "abc");
    CHECK(short_text<4>{}.empty());
}
