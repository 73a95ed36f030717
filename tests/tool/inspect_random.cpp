// inspect_random [SECONDS] [SEED]: what `rpmsg inspect` says of memory that nobody meant, until the time is up:
// recorded images with bytes written over, cut, or made up; and of legal traffic, where it has to be true.
// The seed of the run under way is the last line when something is wrong, so `inspect_random 0 SEED` repeats it.

#include "golden/recording.hpp"
#include "inspect_show.hpp"
#include "legal_traffic.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): a sanitizer's own, if there is one
extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace {

using namespace tool::inspection;
using bytes = std::vector<std::byte>;

std::uint32_t seed = 1;
std::uint64_t images = 0;
std::uint64_t with_faults = 0;
std::uint64_t with_messages = 0;
std::uint64_t legal_pictures = 0;
std::uint64_t certain = 0;
std::uint64_t guessed = 0;

void say_seed() { std::fprintf(stderr, "seed %u\n", seed); }

/// Whether the text is JSON as far as brackets, strings and printable characters go.
bool is_well_formed(const std::string& json)
{
    std::string open;
    bool in_string = false;
    for (std::size_t i = 0; i + 1 < json.size(); ++i) {
        const char c = json[i];
        if (c < ' ' || c > '~')
            return false;
        if (c == '"')
            in_string = !in_string;
        if (in_string)
            i += c == '\\' ? 1 : 0;
        else if (c == '{' || c == '[')
            open += c;
        else if ((c == '}' || c == ']') && (open.empty() || open.back() != (c == '}' ? '{' : '[')))
            return false;
        else if (c == '}' || c == ']')
            open.pop_back();
    }
    return open.empty() && !in_string && json.ends_with("}\n");
}

bool shows(const bytes& memory, std::uint64_t base, const question& asked, bool shows_all)
{
    // A copy of exactly this size, so that AddressSanitizer sees a read behind it.
    const bytes copy{memory};
    const auto found = analyse({copy, base}, asked);
    ++images;
    if (!found.problem.empty())
        return true;
    with_faults += found.faults.count() != 0 ? 1 : 0;
    with_messages += found.messages.empty() ? 0 : 1;
    const look how{.title = "random", .is_live = shows_all, .shows_all = shows_all};
    if (!is_well_formed(to_json(found, how))) {
        std::fputs("the JSON is none\n", stderr);
        return false;
    }
    const auto text = draw(found, how);
    for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
        end = text.find('\n', at);
        if (end - at > 100 || text.find('\x1b', at) < end) {
            std::fprintf(stderr, "a line that does not fit: %s\n", text.substr(at, end - at).c_str());
            return false;
        }
    }
    return true;
}

void write_over(bytes& memory, std::mt19937& random)
{
    constexpr std::array<std::uint32_t, 12> words{0,      1,      2,      7,          8,          16,
                                                  0xFFFF, 0x8000, 0x0200, 0x7FFFFFFF, 0xFFFFFFFF, 0x3ED00080};
    for (auto left = 1 + random() % 8; left != 0 && memory.size() >= 4; --left) {
        // The table and the rings are in front, and more is to be broken there.
        const auto reach = random() % 4 == 0 ? memory.size() : std::min<std::size_t>(memory.size(), 0x270);
        const auto at = random() % (reach - 3);
        if (random() % 2 == 0)
            memory[at] = static_cast<std::byte>(random());
        else
            rpmsg::wire::store<std::uint32_t>(memory.data() + at, random() % 4 == 0
                                                                      ? static_cast<std::uint32_t>(random())
                                                                      : words[random() % words.size()]);
    }
    if (random() % 16 == 0)
        memory.resize(random() % (memory.size() + 1));
}

question any_question(std::mt19937& random, std::uint64_t base)
{
    question asked;
    asked.rule = static_cast<rpmsg::policy::ring_alignment>(random() % 2);
    asked.prefilled = random() % 2 == 0;
    asked.at = random() % 8 == 0 ? random() % 4096 : 0;
    if (random() % 3 == 0) {
        asked.ring = {base + random() % 4096, base + random() % 8192};
        asked.num = random() % 4 == 0 ? static_cast<std::uint32_t>(random()) : 1U << random() % 16;
        asked.align = random() % 4 == 0 ? static_cast<std::uint32_t>(random()) : 1U << random() % 17;
        if (random() % 4 == 0)
            asked.status = base + random() % 64;
    }
    return asked;
}

bool survives_noise(const std::vector<bytes>& recorded, std::mt19937& random)
{
    constexpr std::uint64_t recorded_base = 0x3ED0'0000;
    for (int i = 0; i != 200; ++i) {
        bytes memory;
        std::uint64_t base = recorded_base;
        if (random() % 4 != 0) {
            memory = recorded[random() % recorded.size()];
            write_over(memory, random);
        } else {
            memory.resize(random() % 20000);
            std::ranges::generate(memory,
                                  [&] { return static_cast<std::byte>(random() % 3 == 0 ? random() : 0); });
            base = random() % 2 == 0 ? 0 : ~std::uint64_t{0} - random() % 30000;
        }
        question asked;
        if (random() % 2 == 0)
            asked = any_question(random, base);
        if (!shows(memory, base, asked, random() % 4 == 0))
            return false;
    }
    return true;
}

bool tells_the_truth(std::mt19937& random)
{
    const auto how = legal::any_shape(random);
    legal::link link{how};
    for (int i = 0; i != 60; ++i) {
        // Sometimes long enough for the indices to go round at 2^16.
        for (auto steps = random() % (random() % 512 == 0 ? 1'000'000 : 40); steps != 0; --steps)
            link.step(random);
        const auto found = analyse({link.memory(), 0}, link.question());
        if (const auto lie = link.lie(found); !lie.empty()) {
            std::fprintf(stderr, "ring of %u%s%s: %s\n", how.num, how.prefilled ? ", prefilled" : "",
                         how.in_order ? ", in order" : "", lie.c_str());
            return false;
        }
        ++legal_pictures;
        for (const auto& ring : found.rings)
            for (const auto& d : ring.descriptors)
                ++(d.is_certain ? certain : guessed);
    }
    return true;
}

}  // namespace

int main(int argc, char** argv)
{
    using clock = std::chrono::steady_clock;
    std::vector<bytes> recorded;
    for (const auto& name : golden::all_scenarios)
        for (const auto& step : golden::load(name).steps)
            if (step.image)
                recorded.push_back(*step.image);
    const auto until = clock::now() + std::chrono::seconds{argc > 1 ? std::atoi(argv[1]) : 10};
    seed = argc > 2 ? static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 0)) : 1;
    if (__sanitizer_set_death_callback != nullptr)
        __sanitizer_set_death_callback(say_seed);
    do {
        std::mt19937 random{seed};
        if (!survives_noise(recorded, random) || !tells_the_truth(random)) {
            say_seed();
            return EXIT_FAILURE;
        }
        ++seed;
    } while (clock::now() < until);
    fmt::print("{} images, {} with faults, {} with messages; {} pictures of legal traffic, {} owners "
               "certain, {} guessed\n",
               images, with_faults, with_messages, legal_pictures, certain, guessed);
    return with_faults != 0 && with_messages != 0 && certain != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
