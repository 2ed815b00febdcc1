#include "gateway/admission/fair_queue.h"

#include <algorithm>
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
        std::erase_if(group.tenants, [](const auto& entry) { return entry.second.line.empty(); });
    }
    const auto made = group.tenants.emplace(std::string(name), Tenant{}).first;
    made->second.name = &made->first;
    return made->second;
}

FairQueue::Ticket FairQueue::push(Priority priority, std::string_view tenant_name, double cost) {
    Class& group = of(priority);
    Tenant& tenant = find(group, tenant_name);
    unrank(group, tenant);
    if (tenant.line.empty()) {
        const double least = group.ranked.empty() ? group.last_counter : group.ranked.begin()->second->counter;
        tenant.counter = std::max(tenant.counter, least);
    }
    const Ticket ticket = next_++;
    tenant.line.push_back({ticket, cost});
    rank_again(group, tenant);
    places_.emplace(ticket, Place{priority, &tenant, std::prev(tenant.line.end())});
    ++group.waiting;
    return ticket;
}

void FairQueue::take_out(std::map<Ticket, Place>::iterator place) {
    Class& group = of(place->second.priority);
    Tenant& tenant = *place->second.tenant;
    unrank(group, tenant);
    tenant.line.erase(place->second.entry);
    rank_again(group, tenant);
    --group.waiting;
    places_.erase(place);
}

std::optional<FairQueue::Ticket> FairQueue::pop() {
    for (std::size_t index = kPriorityClasses; index-- > 0;) {
        Class& group = classes_[index];
        if (group.waiting == 0) continue;
        Tenant& tenant = *group.ranked.begin()->second;
        const Entry entry = tenant.line.front();
        take_out(places_.find(entry.ticket));
        unrank(group, tenant);
        tenant.counter += entry.cost;
        tenant.served = ++served_;
        rank_again(group, tenant);
        group.last_counter = tenant.counter;
        group.last_served = tenant.served;
        return entry.ticket;
    }
    return {};
}

bool FairQueue::remove(Ticket ticket) {
    const auto found = places_.find(ticket);
    if (found == places_.end()) return false;
    take_out(found);
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
        take_out(places_.find(ticket));
        return ticket;
    }
    return {};
}

void FairQueue::correct(Priority priority, std::string_view tenant_name, double difference) {
    Class& group = of(priority);
    const auto found = group.tenants.find(tenant_name);
    if (found == group.tenants.end()) return;
    Tenant& tenant = found->second;
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
