#pragma once

#include <rpmsg/platform/linux/guest_regions.hpp>
#include <rpmsg/result.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace rpmsg::platform {

/// The memory of the guests that come and go on one link. One table is offered by the guest, one is the bus's,
/// and others are kept while handles of their epoch live.
///
/// The bus's changes only when the bus takes new rings (attach()), so an address of old rings never meets new
/// memory. When the guest takes its rings back, the bus's becomes ours alone (part()): what a handle of that epoch
/// writes late reaches nobody, though the guest may have made other rings in the same place. It stays mapped until the
/// attach() after the next even without handles: another thread may be in the middle of a copy.
///
/// @context offer(), part(), offered(): the thread that serves the socket. attach(), to_local(), to_guest(): as the bus, under its
///          exclusion. hold(), drop(): any thread.
class guest_memory {
public:
    /// What the guest shares from now on; nullptr: nothing.
    ///
    /// @return errc::out_of_memory
    errc offer(std::unique_ptr<guest_regions> table) noexcept
    {
        const std::lock_guard hold{mutex_};
        offered_ = nullptr;
        waiting_.reset();
        if (table == nullptr)
            return errc{};
        waiting_.reset(new (std::nothrow) node{});
        if (waiting_ == nullptr)
            return errc::out_of_memory;
        waiting_->regions = std::move(table);
        offered_ = waiting_->regions.get();
        return errc{};
    }
    /// The guest takes back the rings that the bus has: nothing reaches them from now on. What is offered is offered
    /// still, for the next ones.
    void part() noexcept
    {
        const std::lock_guard hold{mutex_};
        if (newest_ == nullptr)
            return;
        newest_->regions->part();
        if (offered_ != newest_->regions.get())
            return;
        offered_ = nullptr;  // without memory the guest's next request is refused
        std::unique_ptr<node> again{new (std::nothrow) node{}};
        if (again == nullptr)
            return;
        again->regions.reset(new (std::nothrow) guest_regions);
        if (again->regions == nullptr || !again->regions->map(*newest_->regions))
            return;
        waiting_ = std::move(again);
        offered_ = waiting_->regions.get();
    }
    /// What is offered, or nullptr. Valid until the next offer() or part().
    [[nodiscard]] const guest_regions* offered() const noexcept { return offered_; }

    /// The bus takes rings in what is offered. Again for the same: nothing happens.
    void attach() noexcept
    {
        const std::lock_guard hold{mutex_};
        if (waiting_ == nullptr)
            return;
        // The one that was left before the one that is left now: nobody copies into it any more.
        if (newest_ != nullptr)
            newest_->upto = newest_epoch_;
        waiting_->next = std::move(newest_);
        newest_ = std::move(waiting_);
        current_ = newest_->regions.get();
        drop_unheld(2);
    }

    [[nodiscard]] std::byte* to_local(std::uint64_t address, std::size_t bytes) const noexcept
    {
        return current_ != nullptr ? current_->to_local(address, bytes) : nullptr;
    }
    [[nodiscard]] std::uint64_t to_guest(const std::byte* local) const noexcept
    {
        return current_ != nullptr ? current_->to_guest(local) : 0;
    }

    /// A handle is made, and destroyed. See policy::holding_address_map.
    void hold(std::uint32_t epoch) noexcept
    {
        const std::lock_guard hold{mutex_};
        if (is_later(epoch, newest_epoch_))
            newest_epoch_ = epoch;
        if (auto* const of = table_of(epoch))
            ++of->handles;
    }
    void drop(std::uint32_t epoch) noexcept
    {
        const std::lock_guard hold{mutex_};
        auto* const of = table_of(epoch);
        if (of != nullptr && of->handles != 0 && --of->handles == 0)
            drop_unheld(2);
    }

    /// Tables that are mapped: to see in a test that none is left behind.
    [[nodiscard]] std::size_t tables() const noexcept
    {
        const std::lock_guard hold{mutex_};
        std::size_t count = waiting_ != nullptr ? 1 : 0;
        for (const auto* one = newest_.get(); one != nullptr; one = one->next.get())
            ++count;
        return count;
    }

private:
    /// Newest first.
    struct node {
        std::unique_ptr<guest_regions> regions;
        std::unique_ptr<node> next;
        std::uint32_t upto = 0;  ///< The last epoch of which there was a handle when the bus left it.
        std::uint32_t handles = 0;
    };

    static bool is_later(std::uint32_t epoch, std::uint32_t than) noexcept
    {
        return static_cast<std::int32_t>(epoch - than) > 0;
    }
    /// Those of the current table are of later epochs than any before.
    node* table_of(std::uint32_t epoch) noexcept
    {
        node* found = newest_.get();
        for (node* one = found; one != nullptr && one->next != nullptr; one = one->next.get())
            if (!is_later(epoch, one->next->upto))
                found = one->next.get();
        return found;
    }
    /// Unmaps what nobody holds, but for the newest ones.
    void drop_unheld(unsigned kept) noexcept
    {
        auto* at = &newest_;
        while (*at != nullptr) {
            if (kept != 0) {
                --kept;
            } else if ((*at)->handles == 0) {
                *at = std::move((*at)->next);
                continue;
            }
            at = &(*at)->next;
        }
    }

    mutable std::mutex mutex_;
    std::unique_ptr<node> waiting_;
    std::unique_ptr<node> newest_;
    const guest_regions* current_ = nullptr;
    const guest_regions* offered_ = nullptr;
    std::uint32_t newest_epoch_ = 0;
};

}  // namespace rpmsg::platform
