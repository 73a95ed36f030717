#include "inspect_show.hpp"

#include <rpmsg/virtio/status.hpp>

#include <algorithm>

namespace tool::inspection {

namespace {

struct named_bit {
    std::uint32_t bit;
    std::string_view name;
};

std::string names(std::uint32_t bits, std::span<const named_bit> known)
{
    std::string text;
    for (const auto& [bit, name] : known) {
        if ((bits & bit) == 0)
            continue;
        text += text.empty() ? "" : " ";
        text += name;
        bits &= ~bit;
    }
    if (bits != 0)
        text += fmt::format("{}{:#x}", text.empty() ? "" : " ", bits);
    return text;
}

}  // namespace

std::string feature_names(std::uint32_t features)
{
    namespace feature = rpmsg::policy::feature;
    static constexpr std::array<named_bit, 4> known{{{feature::name_service, "NS"},
                                                     {feature::buffer_sizes, "BUFSZ"},
                                                     {1U << 28U, "INDIRECT_DESC"},
                                                     {feature::event_idx, "EVENT_IDX"}}};
    return names(features, known);
}

std::string status_names(std::uint8_t bits)
{
    namespace status = rpmsg::virtio::status;
    static constexpr std::array<named_bit, 6> known{{{status::acknowledge, "ACKNOWLEDGE"},
                                                     {status::driver, "DRIVER"},
                                                     {status::driver_ok, "DRIVER_OK"},
                                                     {status::features_ok, "FEATURES_OK"},
                                                     {status::needs_reset, "NEEDS_RESET"},
                                                     {status::failed, "FAILED"}}};
    return bits == status::reset ? "reset" : names(bits, known);
}

std::string_view word_of(owner with)
{
    switch (with) {
    case owner::driver: return "driver";
    case owner::available: return "available";
    case owner::taken: return "taken";
    case owner::used: return "used";
    case owner::unknown: return "unknown";
    }
    return {};
}

std::string_view name_in(const rpmsg::wire::announcement& heard)
{
    const auto end = std::ranges::find(heard.name, '\0');
    return {heard.name.data(), static_cast<std::size_t>(end - heard.name.begin())};
}

}  // namespace tool::inspection
