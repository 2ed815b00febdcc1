// Who is next when not all can be served at once: classes by priority, and within a class fair shares of tokens.
//
// A higher class goes first, but for a small share: each lower class that has somebody waiting earns that share of
// every token that a higher one is served, and goes as soon as it has earned what its next request costs. So a request
// at the head of its class waits for at most cost / share tokens of higher ones, and no class starves. Nothing is
// earned while nobody of the class waits, so that nothing is saved up. Within a class tenants are served by the virtual
// token counter of Sheng et al., "Fairness in Serving Large Language Models" (OSDI 2024): each tenant has a counter of
// the tokens it was served, prompt tokens counted once and output tokens twice, and the waiting tenant with the least
// counter is next. A tenant that comes back from having nothing to ask is lifted to the least counter among those that
// wait (or to that of the one served last, if nobody does), so that idleness can't be saved up. Of equal ones the one
// goes first that was served longer ago: who asks for less than its share waits for the next free place only. Counters
// are charged an estimate when a request is served and corrected when it has ended, as the paper's variant with length
// prediction does. Requests of one tenant are served in the order in which they came.
//
// Pure; not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "gateway/auth/identity.h"

namespace stoker::gateway {

inline constexpr std::size_t kPriorityClasses = 3;

// The weighted tokens of one request.
double fair_cost(std::int64_t prompt_tokens, std::int64_t output_tokens);

// A tenant that waits.
struct FairLine {
    std::string tenant{};
    Priority priority{};
    std::size_t waiting = 0;
    double counter = 0;  // Of weighted tokens; only differences mean anything.
};

class FairQueue {
public:
    using Ticket = std::uint64_t;

    // What lower classes earn; from 0 (a higher class always goes first) to 1.
    void set_lower_share(double share) { lower_share_ = share; }

    // Joins the end of its tenant's line. `cost`: its estimate.
    Ticket push(Priority priority, std::string_view tenant, double cost);
    // The next to be served, charged and taken out; empty if nobody waits.
    std::optional<Ticket> pop();
    // Leaves without being served. False if it is not there.
    bool remove(Ticket ticket);
    // Makes room for somebody: takes the newest out of the longest line of the lowest class below `newcomer`'s, else of
    // its own class if that line stays as long as the newcomer's own becomes. Empty: it is the newcomer who has to go.
    std::optional<Ticket> shed_for(Priority newcomer, std::string_view tenant);
    // A request that was served has ended: `difference` is what it cost less what was charged.
    void finish(Priority priority, std::string_view tenant, double difference);

    // How many of those that wait now would be served before somebody who came now: from the classes above, of its
    // tenant, and of the others of its class by their counters. An estimate: costs count as those of the average of
    // their line. Looks at each tenant that waits and is ahead.
    double ahead(Priority priority, std::string_view tenant) const;
    // Whether the tenant, with one more request, has more of them in here (waiting, or served and not finished) than it
    // would have if they were shared out evenly among all tenants that have any. False if it is the only one.
    bool over_share(Priority priority, std::string_view tenant) const;

    std::size_t size() const { return places_.size(); }
    std::size_t size(Priority priority) const { return of(priority).waiting; }
    // 0 for who was never seen.
    double counter(Priority priority, std::string_view tenant) const;
    // Those that wait, the next first; at most so many.
    std::vector<FairLine> lines(std::size_t most) const;

private:
    struct Entry {
        Ticket ticket;
        double cost;
    };
    struct Tenant {
        const std::string* name = nullptr;  // Its key in the map.
        std::list<Entry> line{};
        double line_cost = 0;     // Of all that wait.
        std::size_t running = 0;  // Served, and not finished.
        double counter = 0;
        std::uint64_t served = 0;  // When it was served last, by the count of all that were.
    };
    // The least is next.
    using Rank = std::tuple<double, std::uint64_t, Ticket>;
    using Ranked = std::map<Rank, Tenant*>;
    struct Class {
        std::map<std::string, Tenant, std::less<>> tenants{};
        Ranked ranked{};  // Those that wait.
        std::size_t waiting = 0;
        double earned = 0;        // Of what higher classes were served while somebody waited here.
        double last_counter = 0;  // Of who was served last.
        std::uint64_t last_served = 0;
    };
    struct Place {
        Priority priority;
        Tenant* tenant;
        std::list<Entry>::iterator entry;
    };

    Class& of(Priority priority) { return classes_[static_cast<std::size_t>(priority)]; }
    const Class& of(Priority priority) const { return classes_[static_cast<std::size_t>(priority)]; }
    static Tenant& find(Class& group, std::string_view name);
    // The tenant's counter, if it came now with a request.
    static double lifted(const Class& group, const Tenant* tenant);
    std::size_t next_class() const;
    void earn(std::size_t served_class, double cost);
    static Rank rank(const Tenant& tenant) { return {tenant.counter, tenant.served, tenant.line.front().ticket}; }
    // Around every change of a tenant that its rank depends on: out before it, in after it.
    static void unrank(Class& group, const Tenant& tenant);
    static void rank_again(Class& group, Tenant& tenant);
    void take_out(std::map<Ticket, Place>::iterator place);

    std::array<Class, kPriorityClasses> classes_;
    std::map<Ticket, Place> places_;
    Ticket next_ = 1;
    std::uint64_t served_ = 0;
    double lower_share_ = 0;
    std::size_t running_ = 0;
    std::size_t tenants_inside_ = 0;  // That have somebody waiting or running.
};

}  // namespace stoker::gateway
