#include "gateway/admission/fair_queue.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace stoker::gateway {
namespace {

// Tenants of a class whose counters are kept. That of one who is forgotten is made up for by the lift.
constexpr std::size_t kMostTenants = 10'000;

}  // namespace

double fair_cost(std::int64_t prompt_tokens, std::int64_t output_tokens) {
    constexpr double kPromptWeight = 1;
    constexpr double kOutputWeight = 2;
    return kPromptWeight * static_cast<double>(prompt_tokens) + kOutputWeight * static_cast<double>(output_tokens);
}

void FairQueue::unrank(Class& group, const Tenant& tenant) {
    if (!tenant.line.empty()) group.ranked.erase(rank(tenant));
}

void FairQueue::rank_again(Class& group, Tenant& tenant) {
    if (!tenant.line.empty()) group.ranked.emplace(rank(tenant), &tenant);
}

FairQueue::Tenant& FairQueue::find(Class& group, std::string_view name) {
    const auto found = group.tenants.find(name);
    if (found != group.tenants.end()) return found->second;
    if (group.tenants.size() >= kMostTenants) {
        std::erase_if(group.tenants,
                      [](const auto& entry) { return entry.second.line.empty() && entry.second.running == 0; });
    }
    const auto made = group.tenants.emplace(std::string(name), Tenant{}).first;
    made->second.name = &made->first;
    return made->second;
}

double FairQueue::lifted(const Class& group, const Tenant* tenant) {
    if (tenant != nullptr && !tenant->line.empty()) return tenant->counter;
    const double least = group.ranked.empty() ? group.last_counter : group.ranked.begin()->second->counter;
    return tenant != nullptr ? std::max(tenant->counter, least) : least;
}

FairQueue::Ticket FairQueue::push(Priority priority, std::string_view tenant_name, double cost) {
    Class& group = of(priority);
    Tenant& tenant = find(group, tenant_name);
    if (tenant.line.empty() && tenant.running == 0) ++tenants_inside_;
    unrank(group, tenant);
    tenant.counter = lifted(group, &tenant);
    const Ticket ticket = next_++;
    tenant.line.push_back({ticket, cost});
    tenant.line_cost += cost;
    rank_again(group, tenant);
    places_.emplace(ticket, Place{priority, &tenant, std::prev(tenant.line.end())});
    ++group.waiting;
    return ticket;
}

void FairQueue::take_out(std::map<Ticket, Place>::iterator place) {
    Class& group = of(place->second.priority);
    Tenant& tenant = *place->second.tenant;
    unrank(group, tenant);
    tenant.line_cost -= place->second.entry->cost;
    tenant.line.erase(place->second.entry);
    if (tenant.line.empty()) tenant.line_cost = 0;
    rank_again(group, tenant);
    --group.waiting;
    if (group.waiting == 0) group.earned = 0;
    places_.erase(place);
}

// The highest that has somebody waiting, unless one below has earned its turn: then the lowest of those.
std::size_t FairQueue::next_class() const {
    std::size_t highest = kPriorityClasses;
    for (std::size_t index = 0; index < kPriorityClasses; ++index) {
        const Class& group = classes_[index];
        if (group.waiting == 0) continue;
        highest = index;
        if (group.earned > 0 && group.earned >= group.ranked.begin()->second->line.front().cost) return index;
    }
    return highest;
}

// A class that goes before its turn pays with what it has earned.
void FairQueue::earn(std::size_t served_class, double cost) {
    Class& served = classes_[served_class];
    if (served.waiting > 0) served.earned = std::max(0.0, served.earned - cost);
    for (std::size_t index = 0; index < served_class; ++index) {
        if (classes_[index].waiting > 0) classes_[index].earned += lower_share_ * cost;
    }
}

std::optional<FairQueue::Ticket> FairQueue::pop() {
    const std::size_t index = next_class();
    if (index == kPriorityClasses) return {};
    Class& group = classes_[index];
    Tenant& tenant = *group.ranked.begin()->second;
    const Entry entry = tenant.line.front();
    take_out(places_.find(entry.ticket));
    earn(index, entry.cost);
    unrank(group, tenant);
    tenant.counter += entry.cost;
    tenant.served = ++served_;
    ++tenant.running;
    ++running_;
    rank_again(group, tenant);
    group.last_counter = tenant.counter;
    group.last_served = tenant.served;
    return entry.ticket;
}

bool FairQueue::remove(Ticket ticket) {
    const auto found = places_.find(ticket);
    if (found == places_.end()) return false;
    const Tenant& tenant = *found->second.tenant;
    take_out(found);
    if (tenant.line.empty() && tenant.running == 0) --tenants_inside_;
    return true;
}

// Walks over the tenants that wait, of which there are no more than the queue has places; only done when it is full.
std::optional<FairQueue::Ticket> FairQueue::shed_for(Priority newcomer, std::string_view tenant) {
    for (std::size_t index = 0; index <= static_cast<std::size_t>(newcomer); ++index) {
        const Class& group = classes_[index];
        if (group.waiting == 0) continue;
        const auto longest = std::max_element(
            group.ranked.begin(), group.ranked.end(),
            [](const auto& a, const auto& b) { return a.second->line.size() < b.second->line.size(); });
        if (index == static_cast<std::size_t>(newcomer)) {
            const auto own = group.tenants.find(tenant);
            const std::size_t after = (own == group.tenants.end() ? 0 : own->second.line.size()) + 1;
            if (longest->second->line.size() <= after) return {};
        }
        const Ticket ticket = longest->second->line.back().ticket;
        (void)remove(ticket);
        return ticket;
    }
    return {};
}

void FairQueue::finish(Priority priority, std::string_view tenant_name, double difference) {
    Class& group = of(priority);
    const auto found = group.tenants.find(tenant_name);
    if (found == group.tenants.end()) return;
    Tenant& tenant = found->second;
    if (tenant.running > 0) {
        --tenant.running;
        --running_;
        if (tenant.running == 0 && tenant.line.empty()) --tenants_inside_;
    }
    unrank(group, tenant);
    tenant.counter = std::max(0.0, tenant.counter + difference);
    rank_again(group, tenant);
    if (tenant.served == group.last_served) group.last_counter = tenant.counter;
}

double FairQueue::counter(Priority priority, std::string_view tenant) const {
    const Class& group = of(priority);
    const auto found = group.tenants.find(tenant);
    return found == group.tenants.end() ? 0 : found->second.counter;
}

double FairQueue::ahead(Priority priority, std::string_view name) const {
    const Class& group = of(priority);
    const auto found = group.tenants.find(name);
    const Tenant* own = found == group.tenants.end() ? nullptr : &found->second;
    const double own_waiting = own == nullptr ? 0 : static_cast<double>(own->line.size());
    // What its counter will be when its turn comes: others go until theirs is there too.
    const double reached = lifted(group, own) + (own == nullptr ? 0 : own->line_cost);
    double before = own_waiting;
    for (const auto& [rank, tenant] : group.ranked) {
        if (tenant->counter > reached) break;
        if (tenant == own) continue;
        const double waiting = static_cast<double>(tenant->line.size());
        const double each = std::max(tenant->line_cost / waiting, 1.0);
        before += std::min(waiting, std::floor((reached - tenant->counter) / each) + 1);
    }
    double higher = 0;
    for (auto index = static_cast<std::size_t>(priority) + 1; index < kPriorityClasses; ++index) {
        higher += static_cast<double>(classes_[index].waiting);
    }
    // Its class has its share of the turns, however many wait above it.
    return before + (lower_share_ > 0 ? std::min(higher, (before + 1) / lower_share_) : higher);
}

bool FairQueue::over_share(Priority priority, std::string_view name) const {
    const Class& group = of(priority);
    const auto found = group.tenants.find(name);
    const std::size_t own = found == group.tenants.end() ? 0 : found->second.line.size() + found->second.running;
    const std::size_t tenants = tenants_inside_ + (own == 0 ? 1 : 0);
    const std::size_t all = places_.size() + running_ + 1;
    return tenants > 1 && (own + 1) * tenants > all;
}

std::vector<FairLine> FairQueue::lines(std::size_t most) const {
    std::vector<FairLine> lines;
    for (std::size_t index = kPriorityClasses; index-- > 0;) {
        for (const auto& [rank, tenant] : classes_[index].ranked) {
            if (lines.size() >= most) return lines;
            lines.push_back({*tenant->name, static_cast<Priority>(index), tenant->line.size(), tenant->counter});
        }
    }
    return lines;
}

}  // namespace stoker::gateway
