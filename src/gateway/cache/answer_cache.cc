#include "gateway/cache/answer_cache.h"

#include <algorithm>
#include <utility>

namespace stoker::gateway {
namespace {

// Nodes of two lists and a hash table, and the answer's own fields.
constexpr std::size_t kOverhead = 512;

metrics::Counter& evictions(metrics::Registry& registry, const char* reason) {
    return registry
        .counter("stoker_cache_evictions_total",
                 "Answers that left the cache: pushed out by others (size), or by their tenant's own (tenant_share), "
                 "too old (expired), or purged.",
                 {"reason"})
        .with({reason});
}

}  // namespace

std::size_t CachedAnswer::bytes() const {
    return kOverhead + body.size() + tenant.size() + model.size() + endpoint.size() + request_id.size() +
           content_type.size();
}

bool CacheFilter::takes(const CacheKey& hash, const CachedAnswer& answer) const {
    return (tenant.empty() || tenant == answer.tenant) && (model.empty() || model == answer.model) &&
           (key.empty() || crypto::to_hex(hash).starts_with(key));
}

AnswerCache::AnswerCache(metrics::Registry& registry)
    : bytes_(registry.gauge("stoker_cache_bytes", "Memory that cached answers take.").with()),
      entries_(registry.gauge("stoker_cache_entries", "Answers in the cache.").with()),
      pushed_out_(evictions(registry, "size")),
      over_share_(evictions(registry, "tenant_share")),
      expired_(evictions(registry, "expired")),
      purged_(evictions(registry, "purged")) {}

void AnswerCache::configure(std::size_t max_bytes, double tenant_share) {
    const std::size_t shard_bytes = max_bytes / kShards;
    shard_bytes_ = shard_bytes;
    tenant_bytes_ = static_cast<std::size_t>(static_cast<double>(shard_bytes) * tenant_share);
    for (Shard& shard : shards_) {
        MutexLock lock(shard.mutex);
        std::vector<std::string> tenants;
        for (const auto& [name, tenant] : shard.tenants) tenants.push_back(name);
        for (const std::string& tenant : tenants) fit(shard, &tenant);
        fit(shard, nullptr);
    }
}

void AnswerCache::drop(Shard& shard, Order::iterator entry) {
    const std::size_t size = entry->answer->bytes();
    const auto tenant = shard.tenants.find(entry->answer->tenant);
    tenant->second.order.erase(entry->own);
    tenant->second.bytes -= size;
    if (tenant->second.order.empty()) shard.tenants.erase(tenant);
    shard.bytes -= size;
    bytes_.add(-static_cast<double>(size));
    entries_.add(-1);
    shard.by_key.erase(entry->key);
    shard.order.erase(entry);
}

// Pushes out what is too much: of this tenant, or (null) of all.
void AnswerCache::fit(Shard& shard, const std::string* tenant) {
    if (tenant == nullptr) {
        for (; shard.bytes > shard_bytes_; pushed_out_.add()) drop(shard, shard.order.begin());
        return;
    }
    for (;; over_share_.add()) {
        const auto found = shard.tenants.find(*tenant);
        if (found == shard.tenants.end() || found->second.bytes <= tenant_bytes_) return;
        drop(shard, found->second.order.front());
    }
}

std::shared_ptr<const CachedAnswer> AnswerCache::find(const CacheKey& key, SteadyTime now) {
    Shard& shard = shard_of(key);
    MutexLock lock(shard.mutex);
    const auto found = shard.by_key.find(key);
    if (found == shard.by_key.end()) return nullptr;
    const Order::iterator entry = found->second;
    if (entry->answer->expires <= now) {
        drop(shard, entry);
        expired_.add();
        return nullptr;
    }
    Tenant& tenant = shard.tenants.find(entry->answer->tenant)->second;
    shard.order.splice(shard.order.end(), shard.order, entry);
    tenant.order.splice(tenant.order.end(), tenant.order, entry->own);
    return entry->answer;
}

void AnswerCache::put(const CacheKey& key, std::shared_ptr<const CachedAnswer> answer) {
    const std::size_t size = answer->bytes();
    if (size > tenant_bytes_) return;
    Shard& shard = shard_of(key);
    MutexLock lock(shard.mutex);
    if (const auto old = shard.by_key.find(key); old != shard.by_key.end()) drop(shard, old->second);
    const std::string name = answer->tenant;
    Tenant& tenant = shard.tenants[name];
    const Order::iterator entry = shard.order.insert(shard.order.end(), Entry{key, std::move(answer), {}});
    entry->own = tenant.order.insert(tenant.order.end(), entry);
    shard.by_key.emplace(key, entry);
    tenant.bytes += size;
    shard.bytes += size;
    bytes_.add(static_cast<double>(size));
    entries_.add(1);
    fit(shard, &name);
    fit(shard, nullptr);
}

std::size_t AnswerCache::purge(const CacheFilter& filter) {
    std::size_t gone = 0;
    for (Shard& shard : shards_) {
        MutexLock lock(shard.mutex);
        for (auto entry = shard.order.begin(); entry != shard.order.end();) {
            const auto here = entry++;
            if (!filter.takes(here->key, *here->answer)) continue;
            drop(shard, here);
            ++gone;
        }
    }
    purged_.add(static_cast<double>(gone));
    return gone;
}

CacheReport AnswerCache::report(const CacheFilter& filter, std::size_t most) const {
    CacheReport report;
    report.max_bytes = shard_bytes_ * kShards;
    for (const Shard& shard : shards_) {
        MutexLock lock(shard.mutex);
        report.entries += shard.order.size();
        report.bytes += shard.bytes;
        for (const Entry& entry : shard.order) {
            if (filter.takes(entry.key, *entry.answer)) report.lines.push_back({entry.key, entry.answer});
        }
    }
    const auto hits = [](const CacheLine& line) { return line.answer->hits.load(std::memory_order_relaxed); };
    std::stable_sort(report.lines.begin(), report.lines.end(),
                     [&](const CacheLine& a, const CacheLine& b) { return hits(a) > hits(b); });
    if (report.lines.size() > most) report.lines.resize(most);
    return report;
}

}  // namespace stoker::gateway
