#include "outward/kafka_library.h"

#include <dlfcn.h>

#include <optional>

namespace stoker::outward::kafka {
namespace {

constexpr const char* kFile = "librdkafka.so.1";

template <typename Function>
bool find(void* library, const char* name, Function& function, std::string& missing) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    if (function == nullptr) missing = name;
    return function != nullptr;
}

Result<Library> open() {
    // Never closed: its threads may outlive who used it last.
    void* file = dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
    if (file == nullptr) {
        return Error{Errc::NotFound, std::string("Kafka needs ") + kFile +
                                         ", which is not on this machine (Debian: apt-get install librdkafka1)"};
    }
    Library l{};
    std::string missing;
    const bool whole =
        find(file, "rd_kafka_conf_new", l.conf_new, missing) &&
        find(file, "rd_kafka_conf_destroy", l.conf_destroy, missing) &&
        find(file, "rd_kafka_conf_set", l.conf_set, missing) &&
        find(file, "rd_kafka_conf_set_dr_msg_cb", l.conf_set_dr_msg_cb, missing) &&
        find(file, "rd_kafka_conf_set_log_cb", l.conf_set_log_cb, missing) &&
        find(file, "rd_kafka_new", l.make, missing) && find(file, "rd_kafka_destroy", l.destroy, missing) &&
        find(file, "rd_kafka_topic_new", l.topic_new, missing) &&
        find(file, "rd_kafka_topic_destroy", l.topic_destroy, missing) &&
        find(file, "rd_kafka_produce", l.produce, missing) &&
        find(file, "rd_kafka_last_error", l.last_error, missing) &&
        find(file, "rd_kafka_err2str", l.err2str, missing) && find(file, "rd_kafka_poll", l.poll, missing) &&
        find(file, "rd_kafka_flush", l.flush, missing) && find(file, "rd_kafka_purge", l.purge, missing) &&
        find(file, "rd_kafka_poll_set_consumer", l.poll_set_consumer, missing) &&
        find(file, "rd_kafka_topic_partition_list_new", l.list_new, missing) &&
        find(file, "rd_kafka_topic_partition_list_add", l.list_add, missing) &&
        find(file, "rd_kafka_topic_partition_list_destroy", l.list_destroy, missing) &&
        find(file, "rd_kafka_subscribe", l.subscribe, missing) &&
        find(file, "rd_kafka_consumer_poll", l.consumer_poll, missing) &&
        find(file, "rd_kafka_message_destroy", l.message_destroy, missing) &&
        find(file, "rd_kafka_commit_message", l.commit_message, missing) &&
        find(file, "rd_kafka_consumer_close", l.consumer_close, missing) &&
        find(file, "rd_kafka_version_str", l.version, missing);
    if (!whole) return Error{Errc::NotFound, std::string(kFile) + " is too old: it has no " + missing};
    return l;
}

}  // namespace

Result<const Library*> load() {
    static const Result<Library> library = open();
    if (!library) return library.error();
    return &*library;
}

}  // namespace stoker::outward::kafka
