#pragma once

#include "golden/recording.hpp"
#include "golden/region.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/virtio/fixed_rings.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace golden {

namespace policy = rpmsg::policy;
namespace virtio = rpmsg::virtio;
using virtio::role;

/// How the link is carried.
enum class carried { by_table, by_fixed_rings };

/// Writes down which vring was rung, and with which id.
struct heard_doorbell : policy::doorbell_defaults {
    static constexpr bool carries_queue_id = true;
    std::vector<std::pair<std::size_t, std::uint32_t>>* rung = nullptr;
    void ring(policy::vring_id which, std::uint32_t notify_id) noexcept
    {
        if (rung != nullptr)
            rung->emplace_back(static_cast<std::size_t>(which), notify_id);
    }
};

/// Plays one recorded scenario with one of its sides replaced by a bus of ours.
///
/// The other side is played from its `sent`, `posted` and `returned` lines. In each step of ours the same
/// call is made; then what we published, what was received, heard and rung is compared with the recording,
/// and the bytes that only the other side may write are compared with what they were before. As device every
/// image is compared byte by byte but for what the recording marks as outside the contract and these legal
/// differences: used.len of vring0 is exact, a wish for no doorbells may differ, reserved is 0, and nothing
/// stands behind an announcement's name. As driver, ids and addresses are ours to choose, so indices and
/// messages are compared, and the n-th entry of a ring stands for the n-th that was recorded.
///
/// @tparam Role     Ours.
/// @tparam Dialect  Of the peer that was recorded.
template <role Role, policy::dialect Dialect, carried By>
class replay {
    static constexpr bool is_device = Role == role::device;

    struct board : policy::board_defaults {
        using dialect = Dialect;
        using doorbell = heard_doorbell;
        using coherence = policy::single_core;
        using address_map = policy::offset;
        using ring = policy::ring_up_to<16>;
    };
    using transport =
        std::conditional_t<By == carried::by_table, virtio::resource_table, virtio::fixed_rings<Role>>;
    using bus_type = rpmsg::bus<Role, board, transport>;
    using receiver = std::function<void(rpmsg::message)>;
    using endpoint = rpmsg::endpoint<typename bus_type::basic, void, receiver>;
    using news = std::function<void(const rpmsg::announcement&)>;
    using observer =
        rpmsg::observer<typename bus_type::basic, rpmsg::on_announced<news>, rpmsg::on_withdrawn<news>>;
    using slot = typename endpoint::buffer;

public:
    explicit replay(const std::string& name)
        : recorded_{load(name)},
          shared_{recorded_},
          places_{.to_driver = place("vring0", 0), .to_device = place("vring1", 1)}
    {}

    void run()
    {
        for (const auto& s : recorded_.steps) {
            INFO(recorded_.name << " step " << s.label << ": " << s.one("what").value);
            const auto actor = s.one("actor").value;
            step_ = &s;
            if (actor == us)
                our_step();
            else if (actor == "both")
                bulk();
            else
                their_step();
            compare();
        }
        REQUIRE(bus_.has_value());
        CHECK(bus_->stats()[rpmsg::fault::unknown_destination] == for_nobody());
        CHECK(bus_->stats().total() == for_nobody());
    }

private:
    /// Messages that were sent to us and recorded as received by nobody.
    [[nodiscard]] std::size_t for_nobody() const
    {
        std::size_t sent = 0;
        std::size_t got = 0;
        for (const auto& s : recorded_.steps)
            for (const auto& l : s.lines) {
                sent +=
                    l.key == "sent" && s.one("actor").value != us && l.get("dst") != name_service ? 1U : 0U;
                got += l.key == "got" && l.text("by") == us && l.get("ept") != name_service ? 1U : 0U;
            }
        for (const auto& l : recorded_.steps.back().all("pending"))
            got += l.text("to") == us ? 1U : 0U;  // never read
        return sent - got;
    }
    static constexpr const char* us = is_device ? "device" : "driver";
    static constexpr std::uint32_t name_service = 53;

    virtio::ring_place place(const std::string& which, std::uint32_t id) const
    {
        return {.address = recorded_.get(which + ".pa"),
                .num = recorded_.get("num"),
                .align = recorded_.get("align"),
                .notify_id = id};
    }
    [[nodiscard]] static std::size_t ring_of(const line& l) { return l.get("ring"); }
    [[nodiscard]] bool is_start() const { return step_->one("do").verb() == "start"; }

    // The other side, from its lines

    void their_step()
    {
        const auto doing = step_->one("do").verb();
        if (step_->image && (step_->one("actor").value == "none" || (is_device && !driver_started_))) {
            // What a driver does while it comes up is in the image alone.
            std::ranges::copy(*step_->image, shared_.memory.begin());
            driver_started_ = doing == "start";
            seen_ = {index_of_ours(0), index_of_ours(1)};
        } else {
            for (const auto& l : step_->lines)
                their_line(l);
        }
        // A wish about doorbells, which no line tells of.
        for (std::size_t r = 0; r != 2; ++r)
            if (const auto words = step_->one(r == 0 ? "vring0" : "vring1"); !words.value.empty())
                shared_.put(is_device ? shared_.rings[r].avail : shared_.rings[r].used, 2,
                            words.get(is_device ? "avail_flags" : "used_flags"));
        for (const auto& l : step_->all(is_device ? "posted" : "none"))
            lend(l);
    }
    void their_line(const line& l)
    {
        if (l.key == "sent" && is_device) {
            shared_.write_message(l.get("at"), l);
            shared_.describe(1, l.get("id"), l.get("at"), l.get("desc_len"), l.get("desc_flags"));
            shared_.make_available(1, l.get("id"));
        } else if (l.key == "posted") {
            shared_.describe(0, l.get("id"), l.get("at"), l.get("len"), l.get("flags"));
            shared_.make_available(0, l.get("id"));
        } else if (l.key == "sent") {
            const auto id = take_ours(0, l.get("id"));
            shared_.write_message(buffer_of(0, id), l);
            shared_.make_used(0, id, l.get("used_len"));
        } else if (l.key == "returned") {
            shared_.make_used(1, take_ours(1, l.get("id")), l.get("used_len"));
        }
        if (l.key == "sent" && l.get("dst") == name_service)
            news_to_come_.push_back(news_in(l.data()));
    }

    // Buffers that lie with the device

    void lend(const line& posted) { ours_.insert({posted.get("at"), posted.get("len")}); }
    /// The id under which we published what was recorded under this one.
    std::uint32_t take_ours(std::size_t which, std::uint32_t theirs)
    {
        const auto found = translated_[which].find(theirs);
        REQUIRE(found != translated_[which].end());
        const auto id = found->second;
        translated_[which].erase(found);
        return id;
    }
    [[nodiscard]] std::size_t buffer_of(std::size_t which, std::uint32_t id) const
    {
        return static_cast<std::size_t>(shared_.get(shared_.descriptor(which, id), 8) - shared_.base);
    }

    // Our steps

    void our_step()
    {
        const auto call = step_->one("do");
        const auto doing = call.verb();
        const auto before = shared_.memory;
        const auto may_write = writable();
        if (doing == "probe")  // of a driver that comes up in two steps; ours does it in one
            return;
        rung_.clear();
        came_up_ = false;
        expect_deliveries();

        if (doing == "start")
            start();
        else if (doing == "stop")
            bus_->stop();
        else if (doing == "doorbell" || doing == "poll")
            poll(doing == "poll");
        else if (doing == "open")
            open(call);
        else if (doing == "announce")
            announce(call);
        else if (doing == "close")
            close(call);
        else if (doing == "send")
            send(call);
        else if (doing == "acquire")
            acquire(call);
        else if (doing == "fill")
            fill(slots_.at(call.text("tx")), call.data());
        else if (doing == "commit")
            commit(call);
        else if (doing == "discard")
            slots_.erase(call.text("tx"));
        else if (doing == "release")
            held_.erase(call.text("rx"));
        else if (doing == "query")
            query();
        else if (doing != "probe" && !doing.empty())
            FAIL("no such call: " << doing);

        for (const auto& d : deliveries_)
            FAIL_CHECK("not received: " << d.got.value);
        if (doing == "poll") {
            CHECK(heard_ == news_to_come_);
            news_to_come_.clear();
        } else {
            CHECK(heard_.empty());
        }
        heard_.clear();
        check_doorbells(check_published());
        const bool is_attached = !is_device || bus_->state() == rpmsg::link_state::up || doing == "stop";
        const auto strayed =
            difference(before, shared_.memory, is_attached ? may_write : std::vector<range>{});
        INFO("written where only the peer may:\n" << strayed);
        CHECK(strayed.empty());
    }

    /// A driver that is not rpmsg-lite has room for avail_event behind its rings.
    [[nodiscard]] std::size_t end_of(const ring_at& r) const
    {
        return r.used + 4 + 8U * shared_.num + (Dialect::alignment == policy::ring_alignment::virtio ? 2 : 0);
    }
    /// What we may write at this moment.
    [[nodiscard]] std::vector<range> writable()
    {
        std::vector<range> out;
        for (const auto& r : shared_.rings)
            out.push_back(is_device ? range{r.used, end_of(r)} : range{r.descriptors, r.used});
        if (is_device) {
            for (const auto& [at, length] : ours_)
                out.push_back({at, at + length});
            return out;
        }
        const auto pool = this->pool();
        const auto first = static_cast<std::size_t>(pool.to_device.data() - shared_.memory.data());
        std::set<std::size_t> lent;
        for (const auto& [theirs, id] : translated_[1])
            lent.insert(buffer_of(1, id));
        for (auto at = first; at + pool.to_device_size <= shared_.memory.size(); at += pool.to_device_size)
            if (!lent.contains(at))
                out.push_back({at, at + pool.to_device_size});
        if (is_start()) {
            for (const auto& r : shared_.rings)
                out.push_back({r.descriptors, end_of(r)});
            if (By == carried::by_table)
                out.push_back({recorded_.get("gfeatures.off"), recorded_.get("status.off") + 1});
        }
        return out;
    }

    [[nodiscard]] rpmsg::buffer_pool pool()
    {
        const auto size = std::size_t{recorded_.get("buf.vring0")} * recorded_.get("num");
        auto all = std::span{shared_.memory}.subspan(recorded_.get("pool.off"), recorded_.get("pool.len"));
        return {.to_driver = all.first(size),
                .to_device = all.subspan(size),
                .to_driver_size = recorded_.get("buf.vring0"),
                .to_device_size = recorded_.get("buf.vring1")};
    }

    void start()
    {
        const policy::set<board> models{.doorbell = bell(),
                                        .address_map = policy::offset{shared_.memory, shared_.base}};
        if constexpr (By == carried::by_table) {
            auto found = virtio::resource_table::find(
                std::span{shared_.memory}.subspan(recorded_.get("table.off"), recorded_.get("table.len")));
            REQUIRE(found);
            make(*found, models);
        } else if constexpr (is_device) {
            make(transport{places_, driver_rang_}, models);
        } else {
            make(transport{places_}, models);
        }
        seen_ = is_device ? std::array{index_of_ours(0), index_of_ours(1)} : std::array<std::uint16_t, 2>{};
        observer_.emplace(*bus_, news{[this](const rpmsg::announcement& a) { hear('+', a); }},
                          news{[this](const rpmsg::announcement& a) { hear('-', a); }});
        REQUIRE(observer_->open());
        if (scripted())  // it hears of the driver's doorbell at once
            driver_rang_.rang();
        bus_->start();
        came_up_ = bus_->state() == rpmsg::link_state::up;
        // A device of rpmsg-lite's kind hears of the driver in a later step; with a table it may be early.
        if (is_device && By == carried::by_table)
            CHECK(came_up_ == driver_started_);
        else
            CHECK(came_up_ == (!is_device || scripted()));
        open_unnamed();
    }
    void make(const transport& by, const policy::set<board>& models)
    {
        if constexpr (is_device)
            bus_.emplace(by, models);
        else
            bus_.emplace(by, pool_ = pool(), models);
    }
    heard_doorbell bell()
    {
        heard_doorbell b;
        b.rung = &rung_;
        return b;
    }
    /// Endpoints of ours that no step opens: those of a script.
    void open_unnamed()
    {
        std::set<std::uint32_t> opened{name_service};
        std::set<std::uint32_t> used;
        for (const auto& s : recorded_.steps)
            for (const auto& l : s.lines) {
                if (l.key == "do" && l.verb() == "open")
                    opened.insert(l.get("ept"));
                if (l.key == "event" && l.find("then"))
                    opened.insert(counterpart(l));
                if (l.key == "got" && l.text("by") == us)
                    used.insert(l.get("ept"));
            }
        for (const auto ept : used)
            if (!opened.contains(ept))
                REQUIRE(endpoint_at(ept).open(rpmsg::address{ept}));
        REQUIRE(by_hand().open(rpmsg::address{0x7FFF'0000}));
    }
    [[nodiscard]] static std::uint32_t counterpart(const line& event)
    {
        return number(event.text("then").substr(std::string{"open:"}.size()));
    }

    void poll(bool handles_messages)
    {
        driver_rang_.rang();
        const bool was_up = bus_->state() == rpmsg::link_state::up;
        if (!handles_messages)
            bus_->poll(0);
        else
            while (bus_->poll().more) {}
        came_up_ = !was_up && bus_->state() == rpmsg::link_state::up;
        CHECK(bus_->state() == rpmsg::link_state::up);
    }

    endpoint& endpoint_at(std::uint32_t ept)
    {
        auto& e = endpoints_[ept];
        if (!e)
            e = std::make_unique<endpoint>(*bus_,
                                           receiver{[this, ept](rpmsg::message in) { receive(ept, in); }});
        return *e;
    }
    /// For what the other library sends and ours would not.
    endpoint& by_hand() { return endpoint_at(0xFFFF'0000); }

    void open(const line& call)
    {
        const auto ept = call.get("ept");
        if (ept == name_service)  // how a library listens for announcements; a bus always does
            return;
        auto& e = endpoint_at(ept);
        // Chosen as the library that we replace would choose, where it and its peer are of one kind.
        const bool is_lite =
            recorded_.text(std::string{"recorder."} + us).find("rpmsg-lite") != std::string::npos;
        const bool chosen =
            call.text("addr") == "any" && is_lite == std::is_same_v<Dialect, policy::rpmsg_lite>;
        const auto local = chosen ? rpmsg::any_address : rpmsg::address{ept};
        const auto peer = call.find("dst").value_or("any");
        const auto name = call.find("name").value_or("-");
        if (peer != "any") {
            const rpmsg::towards there{rpmsg::address{number(peer)}};
            CHECK((chosen ? e.open(there) : e.open(local, there)));
        } else if (name != "-") {
            CHECK(e.open(name_for(name), local));
        } else {
            CHECK(e.open(local));
        }
        CHECK(e.local() == rpmsg::address{ept});
    }
    /// A name that lasts, cut where the other library cuts it; ours refuses it.
    rpmsg::name name_for(const std::string& text)
    {
        if (text.size() > 31)
            CHECK(rpmsg::name::from_static(names_.emplace_back(text).c_str()).error() ==
                  rpmsg::errc::name_too_long);
        auto made = rpmsg::name::from_static(names_.emplace_back(text.substr(0, 31)).c_str());
        REQUIRE(made);
        return *made;
    }
    /// rpmsg-lite announces by hand, with an endpoint that exists; we when it opens and closes.
    void announce(const line& call)
    {
        const auto ept = call.get("ept");
        const rpmsg::address local{ept};
        auto& e = endpoint_at(ept);
        REQUIRE(e.is_open());
        const auto name = call.text("name");
        if (name.size() > 31) {  // goes out without a terminator, which we never send
            static_cast<void>(name_for(name));
            send_by_hand(ept, step_->one("sent"));
        } else {
            CHECK(e.close());
            CHECK((call.get("flags") == 0 ? e.open(name_for(name), local) : e.open(local)));
        }
    }
    void close(const line& call)
    {
        const auto sent = step_->one("sent");
        const auto ept = call.get("ept");
        const auto was = published_now();
        if (sent.value.empty())  // OpenAMP withdraws no address below 1024; we would
            return;
        CHECK(endpoint_at(ept).close());
        if (published_now() == was)  // it withdraws what it never announced; we do not
            send_by_hand(ept, sent);
    }
    void send_by_hand(std::uint32_t from, const line& sent)
    {
        CHECK(by_hand().try_send_from(rpmsg::address{from}, rpmsg::address{sent.get("dst")}, sent.data()));
    }

    void send(const line& call)
    {
        const auto source = call.get("src");
        auto& from = endpoint_at(call.find("ept") ? call.get("ept") : source);
        const auto sent = step_->one("sent");
        if (call.text("dst") == "any") {
            CHECK(from.try_send(call.data()).error() == rpmsg::errc::not_bound);
            return;
        }
        const rpmsg::address to{call.get("dst")};
        const auto send = [&](const bytes& payload) {
            return from.try_send_from(rpmsg::address{source}, to, payload);
        };
        auto payload = call.data();
        if (payload.size() > bus_->max_payload() && bus_->max_payload() != 0) {
            CHECK(send(payload).error() == rpmsg::errc::too_long);  // OpenAMP cuts it
            if (sent.value.empty())
                return;
        }
        if (!sent.value.empty()) {
            CHECK(send(sent.data()));
            return;
        }
        const auto ret = step_->one("ret").value;
        const auto why = send(payload).error();
        if (ret.find("NOT_READY") != std::string::npos)
            CHECK(why == rpmsg::errc::link_down);
        else
            CHECK(why == rpmsg::errc::full);
    }
    void acquire(const line& call)
    {
        auto& made = slots_[call.text("tx")] = endpoint_at(call.get("ept")).try_acquire();
        REQUIRE(made);
        const auto words = words_of(step_->one("ret").value);  // buffer at OFFSET capacity BYTES
        REQUIRE(words.size() == 5);
        // rpmsg-lite's driver takes the capacity from what came back in used.len; ours knows it.
        CHECK(made.payload().size() >= number(words[4]));
        CHECK(made.payload().size() == bus_->max_payload());
        if (is_device)
            CHECK(made.payload().data() == shared_.memory.data() + number(words[2]) + 16);
    }
    static void fill(const slot& into, const bytes& payload)
    {
        REQUIRE(payload.size() <= into.payload().size());
        std::ranges::copy(payload, into.payload().begin());
    }
    void commit(const line& call)
    {
        auto& made = slots_.at(call.text("tx"));
        fill(made, call.data());
        CHECK(std::move(made).send_from(rpmsg::address{call.get("src")}, rpmsg::address{call.get("dst")},
                                        call.data().size()));
        slots_.erase(call.text("tx"));
    }
    void query()
    {
        const auto words = words_of(step_->one("ret").value);  // tx BYTES, rx …
        CHECK(bus_->max_payload() == number(words.at(1)));
    }

    // What reaches us

    struct arrival {
        line got;
        std::optional<line> reply;
    };
    void expect_deliveries()
    {
        deliveries_.clear();
        for (const auto& l : step_->lines) {
            if (l.key == "got" && l.get("ept") != name_service)
                deliveries_.push_back({l, {}});
            else if (l.key == "sent" && !deliveries_.empty() &&
                     deliveries_.back().got.text("then") == "reply" && !deliveries_.back().reply)
                deliveries_.back().reply = l;
        }
    }
    void receive(std::uint32_t ept, rpmsg::message in)
    {
        const auto payload = in.payload();
        if (bulk_) {
            bulk_wrong_ += payload.size() != 4 || word_in(payload, 0) != bulk_received_ ? 1U : 0U;
            ++bulk_received_;
            return;
        }
        if (deliveries_.empty()) {
            FAIL_CHECK("received and not recorded: " << hex(payload));
            return;
        }
        const auto next = deliveries_.front();
        deliveries_.pop_front();
        CHECK(ept == next.got.get("ept"));
        CHECK(in.source() == rpmsg::address{next.got.get("src")});
        CHECK(payload.size() == next.got.get("len"));
        CHECK(hex(payload) == hex(next.got.data()));
        const auto then = next.got.text("then");
        if (then.starts_with("hold:"))
            held_[then.substr(5)] = in.hold();
        else if (then == "reply")
            CHECK(endpoint_at(ept).try_send_to(in.source(), next.reply->data()));
        else
            CHECK(then == "consume");
    }
    void hear(char sign, const rpmsg::announcement& a)
    {
        heard_.push_back(sign + std::string{a.name()} + "@" + std::to_string(a.address().value()));
        if (sign == '-')
            return;
        for (const auto& l : step_->all("event"))
            if (l.find("then") && a.address() == rpmsg::address{l.get("addr")})
                counterparts_[std::string{a.name()}] = counterpart(l);
        const auto found = counterparts_.find(std::string{a.name()});
        if (found == counterparts_.end())
            return;
        auto& e = endpoint_at(found->second);
        if (e.is_open()) {  // of a service that was withdrawn and came again
            CHECK_FALSE(e.is_bound());
            CHECK(e.close());
        }
        CHECK(e.open(rpmsg::address{found->second}, rpmsg::towards{a.address()}));
    }

    // What we published

    [[nodiscard]] std::uint16_t index_of_ours(std::size_t which) const
    {
        return is_device ? shared_.used_idx(which) : shared_.avail_idx(which);
    }
    [[nodiscard]] unsigned published_now() const { return index_of_ours(0) + index_of_ours(1); }

    /// Compares it with this step's lines. @return How much it was, for each ring.
    std::array<unsigned, 2> check_published()
    {
        std::array<unsigned, 2> count{};
        for (std::size_t which = 0; which != 2; ++which) {
            const auto lines = published_lines(which);
            const auto now = index_of_ours(which);
            count[which] = static_cast<std::uint16_t>(now - seen_[which]);
            INFO("ring " << which);
            REQUIRE(count[which] == lines.size());
            for (const auto& l : lines)
                check_entry(which, seen_[which]++, l);
        }
        return count;
    }
    [[nodiscard]] std::vector<line> published_lines(std::size_t which) const
    {
        std::vector<line> found;
        for (const auto& l : step_->lines)
            if ((l.key == "sent" || l.key == "posted" || l.key == "returned") && ring_of(l) == which &&
                !l.find("prefilled"))
                found.push_back(l);
        return found;
    }
    void check_entry(std::size_t which, std::uint32_t i, const line& l)
    {
        INFO(l.key << "=" << l.value);
        if constexpr (is_device) {
            const auto id = shared_.word(shared_.used_entry(which, i));
            const auto length = shared_.word(shared_.used_entry(which, i) + 4);
            CHECK(id == l.get("id"));
            if (l.key == "returned") {
                CHECK(length == shared_.word(shared_.descriptor(1, id) + 8));
                if (!scripted())
                    CHECK(length == l.get("used_len"));
                return;
            }
            CHECK(length == 16 + l.get("len"));
            CHECK(buffer_of(0, id) == l.get("at"));
            check_message(l.get("at"), l);
            ours_.erase({l.get("at"), shared_.word(shared_.descriptor(0, id) + 8)});
        } else {
            const auto id = shared_.half(shared_.avail_entry(which, i));
            const auto d = shared_.descriptor(which, id);
            for (const auto& [theirs, lent] : translated_[which])
                CHECK(lent != id);
            CHECK(translated_[which].emplace(l.get("id"), id).second);
            if (l.key == "posted") {
                CHECK(shared_.word(d + 8) == l.get("len"));
                CHECK(shared_.half(d + 12) == 2);
            } else {
                CHECK(shared_.word(d + 8) >= 16 + l.get("len"));
                CHECK(shared_.half(d + 12) == 0);
                check_message(buffer_of(which, id), l);
            }
        }
    }
    void check_message(std::size_t at, const line& l)
    {
        const bool is_news = l.get("dst") == name_service;
        // A name of 32 characters was sent by hand, as it was recorded.
        const bool as_recorded = is_news && std::to_integer<int>(l.data().at(31)) != 0;
        CHECK(shared_.word(at) == l.get("src"));
        CHECK(shared_.word(at + 4) == l.get("dst"));
        CHECK(shared_.word(at + 8) == 0);
        CHECK(shared_.half(at + 12) == l.get("len"));
        CHECK(shared_.half(at + 14) == 0);
        const auto expected = is_news && !as_recorded && !by_hand(l) ? with_clean_name(l.data()) : l.data();
        CHECK(hex(shared_.part(at + 16, expected.size())) == hex(expected));
    }
    /// Whether it is what our side does not send: it went out as recorded.
    [[nodiscard]] bool by_hand(const line& l) const
    {
        return step_->one("do").verb() == "send" || never_announced(l.get("src"));
    }
    [[nodiscard]] bool never_announced(std::uint32_t ept) const
    {
        for (const auto& s : recorded_.steps)
            for (const auto& l : s.all("sent"))
                if (l.get("src") == ept && l.get("dst") == name_service && word_in(l.data(), 36) == 0)
                    return false;
        return true;
    }

    // Doorbells

    [[nodiscard]] bool peer_wants_none(std::size_t which) const
    {
        return ((is_device ? shared_.avail_flags(which) : shared_.used_flags(which)) & 1U) != 0;
    }
    void check_doorbells(const std::array<unsigned, 2>& published)
    {
        for (std::size_t which = 0; which != 2; ++which) {
            INFO("doorbell of ring " << which);
            const auto name = "vring" + std::to_string(which);
            const auto bells = step_->all("bell");
            const auto recorded =
                std::ranges::count_if(bells, [&](const line& l) { return l.text("queue") == name; });
            const auto ours = std::ranges::count(rung_, which, [](const auto& r) { return r.first; });
            if (is_start() || came_up_) {  // a device that came up may say so
                CHECK(ours >= (!is_device && which == 0 ? 1 : 0));
                CHECK(ours <= (which == 0 ? 1 : 0));
            } else if (published[which] == 0 || (Dialect::obeys_suppression && peer_wants_none(which))) {
                CHECK(ours == 0);
                CHECK(recorded == 0);
            } else {
                CHECK(ours >= 1);
                CHECK(ours <= published[which]);
            }
        }
        for (const auto& [which, id] : rung_)
            CHECK(id == notify_id(which));
    }
    [[nodiscard]] std::uint32_t notify_id(std::size_t which) const
    {
        if (By == carried::by_fixed_rings)
            return static_cast<std::uint32_t>(which);
        return static_cast<std::uint32_t>(which) + 1;  // `ids=` of every table
    }

    // Memory

    /// Whether our side was no library in the recording, but a script.
    [[nodiscard]] bool scripted() const
    {
        return recorded_.text(std::string{"recorder."} + us).starts_with("scripted");
    }
    void compare()
    {
        for (std::size_t which = 0; which != 2; ++which) {
            const auto words = step_->one(which == 0 ? "vring0" : "vring1");
            if (words.value.empty() || (!is_device && !bus_))
                continue;
            INFO("ring " << which);
            CHECK(shared_.avail_flags(which) <= 1);  // wishes of either side, but no others
            CHECK(shared_.used_flags(which) <= 1);
            CHECK(shared_.avail_idx(which) == words.get("avail_idx"));
            CHECK(shared_.used_idx(which) ==
                  static_cast<std::uint16_t>(words.get("used_idx") - (is_device ? 0U : prefilled(which))));
        }
        if (is_device && step_->image) {
            auto expected = *step_->image;
            allow_legal_differences(expected);
            auto ignored = step_->dontcare();
            ignored.push_back({shared_.rings[0].used, shared_.rings[0].used + 2});  // a wish of ours
            if (scripted())  // in what it returned it also plays what virtio allows and drivers take amiss
                for (std::uint16_t i = 0; i != shared_.num; ++i)
                    ignored.push_back({shared_.used_entry(1, i) + 4, shared_.used_entry(1, i) + 8});
            const auto differs = difference(expected, shared_.memory, ignored);
            INFO(differs);
            CHECK(differs.empty());
        }
        if (!is_device && bus_)
            for (const auto& l : step_->all("pending"))
                if (l.text("to") == "device")
                    check_message(buffer_of(1, translated_[1].at(l.get("id"))), l);
    }
    /// How many entries the recorded driver put into the used ring itself.
    [[nodiscard]] unsigned prefilled(std::size_t which) const
    {
        unsigned n = 0;
        for (const auto& s : recorded_.steps)
            for (const auto& l : s.all("returned"))
                n += l.find("prefilled") && ring_of(l) == which ? 1U : 0U;
        return n;
    }
    /// What we write differently, and rightly so.
    void allow_legal_differences(bytes& expected) const
    {
        const auto put = [&expected](std::size_t at, std::uint32_t value) {
            for (std::size_t i = 0; i != 4; ++i, value >>= 8U)
                expected.at(at + i) = static_cast<std::byte>(value & 0xFFU);
        };
        std::vector<line> unread;
        for (const auto& l : step_->all("pending"))
            if (l.text("to") == "driver")
                unread.push_back(l);
        auto i = static_cast<std::uint16_t>(shared_.used_idx(0) - unread.size());
        for (const auto& l : unread) {
            put(shared_.used_entry(0, i++) + 4, 16 + l.get("len"));
            put(l.get("at") + 8, 0);
            if (l.get("dst") != name_service || never_announced(l.get("src")) ||
                std::to_integer<int>(l.data().at(31)) != 0)
                continue;
            std::ranges::copy(with_clean_name(l.data()),
                              expected.begin() + static_cast<std::ptrdiff_t>(l.get("at")) + 16);
        }
    }

    // Long runs, which no line lists

    void bulk()
    {
        const auto call = step_->one("do");
        const auto count = call.get("count");
        REQUIRE(call.text("from") == "driver");
        const auto first =
            std::ranges::find_if(recorded_.steps, [](const step& s) { return s.one("do").verb() == "send"; });
        REQUIRE(first != recorded_.steps.end());
        const auto route = first->one("sent");
        std::vector<std::uint32_t> bursts;
        for (std::istringstream in{call.text("bursts")}; in;)
            if (std::string n; std::getline(in, n, ','))
                bursts.push_back(number(n));

        bulk_ = true;
        bulk_model model{};
        std::uint32_t k = call.get("first");
        for (std::size_t b = 0; k != count; b = (b + 1) % bursts.size()) {
            for (auto n = bursts[b]; n != 0 && k != count; --n, ++k)
                bulk_send(model, route, k);
            bulk_take(model);
        }
        bulk_ = false;
        if (is_device) {
            CHECK(bulk_received_ == count);
            CHECK(bulk_wrong_ == 0);
        }
        seen_ = {index_of_ours(0), index_of_ours(1)};
    }
    /// OpenAMP's driver: a returned buffer first, and its descriptor again; else one more of the pool.
    struct bulk_model {
        std::uint16_t seen = 0;    ///< Of vring1's used ring, or as device of its avail ring.
        std::uint32_t carved = 0;  ///< Buffers taken from the pool so far.
    };
    void bulk_send(bulk_model& model, const line& route, std::uint32_t k)
    {
        bytes payload(4);
        for (std::size_t i = 0; i != 4; ++i)
            payload[i] = static_cast<std::byte>(k >> 8U * i & 0xFFU);
        if constexpr (is_device) {
            const auto id = model.seen != shared_.used_idx(1)
                                ? shared_.word(shared_.used_entry(1, model.seen++))
                                : model.carved++;
            const auto size = recorded_.get("buf.vring1");
            const auto at =
                recorded_.get("pool.off") + recorded_.get("buf.vring0") * recorded_.get("num") + id * size;
            shared_.write_message(at, {"sent", "src:" + route.text("src") + " dst:" + route.text("dst") +
                                                   " reserved:0 len:4 flags:0 data:" + hex(payload)});
            shared_.describe(1, id, at, size, 0);
            shared_.make_available(1, id);
        } else if (!endpoint_at(route.get("src"))
                        .try_send_from(rpmsg::address{route.get("src")}, rpmsg::address{route.get("dst")},
                                       payload)) {
            FAIL("not sent: " << k);
        }
    }
    void bulk_take(bulk_model& model)
    {
        if constexpr (is_device) {
            while (bus_->poll().more) {}
        } else {
            for (; model.seen != shared_.avail_idx(1); ++model.seen, ++bulk_received_) {
                const auto id = shared_.half(shared_.avail_entry(1, model.seen));
                const auto at = buffer_of(1, id);
                if (shared_.word(at + 12) != 4 || shared_.word(at + 16) != bulk_received_)
                    FAIL("message " << bulk_received_ << " is another");
                shared_.make_used(1, id, shared_.word(shared_.descriptor(1, id) + 8));
            }
        }
    }

    scenario recorded_;
    region shared_;
    virtio::ring_places places_;
    virtio::first_doorbell driver_rang_;
    rpmsg::buffer_pool pool_;
    const step* step_ = nullptr;
    bool driver_started_ = false;
    bool came_up_ = false;

    std::vector<std::pair<std::size_t, std::uint32_t>> rung_;
    std::set<std::pair<std::size_t, std::uint32_t>> ours_;  // as device: buffers to send in, offset and size
    std::array<std::map<std::uint32_t, std::uint32_t>, 2> translated_;  // as driver: recorded id to ours
    std::array<std::uint16_t, 2> seen_{};  // how far what we published is checked
    std::vector<std::string> news_to_come_;
    std::vector<std::string> heard_;
    std::deque<arrival> deliveries_;
    std::map<std::string, std::uint32_t> counterparts_;
    bool bulk_ = false;
    std::uint32_t bulk_received_ = 0;
    std::uint32_t bulk_wrong_ = 0;

    std::list<std::string> names_;
    std::optional<bus_type> bus_;
    std::optional<observer> observer_;
    std::map<std::uint32_t, std::unique_ptr<endpoint>> endpoints_;
    std::map<std::string, slot> slots_;
    std::map<std::string, rpmsg::rx_buffer> held_;
};

template <policy::dialect Dialect, carried By>
void play_device(const std::string& name)
{
    replay<role::device, Dialect, By>{name}.run();
}
template <policy::dialect Dialect, carried By>
void play_driver(const std::string& name)
{
    replay<role::driver, Dialect, By>{name}.run();
}

}  // namespace golden
