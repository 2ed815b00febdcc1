// The part of librdkafka's C interface that Stoker uses, found when it is needed: machines without Kafka need no
// library.
//
// Declared here as in librdkafka's rdkafka.h, whose binary interface has been stable since 1.0
// (https://github.com/confluentinc/librdkafka). Thread-safe after load().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace stoker::outward::kafka {

struct Handle;         // rd_kafka_t
struct Conf;           // rd_kafka_conf_t
struct Topic;          // rd_kafka_topic_t
struct PartitionList;  // rd_kafka_topic_partition_list_t

struct Message {  // rd_kafka_message_t
    int err;
    Topic* topic;
    std::int32_t partition;
    void* payload;
    std::size_t len;
    void* key;
    std::size_t key_len;
    std::int64_t offset;
    void* opaque;
};

inline constexpr int kProducer = 0;
inline constexpr int kConsumer = 1;
inline constexpr int kConfOk = 0;
inline constexpr std::int32_t kAnyPartition = -1;
inline constexpr int kCopy = 0x2;        // RD_KAFKA_MSG_F_COPY
inline constexpr int kPurgeAll = 0x3;    // RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT
inline constexpr int kQueueFull = -184;  // RD_KAFKA_RESP_ERR__QUEUE_FULL
inline constexpr int kEndOfPartition = -191;
inline constexpr int kMessageTooLarge = 10;

using DeliveryFn = void (*)(Handle*, const Message*, void*);
using LogFn = void (*)(const Handle*, int, const char*, const char*);

struct Library {
    Conf* (*conf_new)();
    void (*conf_destroy)(Conf*);
    int (*conf_set)(Conf*, const char*, const char*, char*, std::size_t);
    void (*conf_set_dr_msg_cb)(Conf*, DeliveryFn);
    void (*conf_set_log_cb)(Conf*, LogFn);
    Handle* (*make)(int, Conf*, char*, std::size_t);
    void (*destroy)(Handle*);
    Topic* (*topic_new)(Handle*, const char*, void*);
    void (*topic_destroy)(Topic*);
    int (*produce)(Topic*, std::int32_t, int, void*, std::size_t, const void*, std::size_t, void*);
    int (*last_error)();
    const char* (*err2str)(int);
    int (*poll)(Handle*, int);
    int (*flush)(Handle*, int);
    int (*purge)(Handle*, int);
    int (*poll_set_consumer)(Handle*);
    PartitionList* (*list_new)(int);
    void* (*list_add)(PartitionList*, const char*, std::int32_t);
    void (*list_destroy)(PartitionList*);
    int (*subscribe)(Handle*, const PartitionList*);
    Message* (*consumer_poll)(Handle*, int);
    void (*message_destroy)(Message*);
    int (*commit_message)(Handle*, const Message*, int);
    int (*consumer_close)(Handle*);
    const char* (*version)();
};

// Loads librdkafka.so.1, once. Errors: NotFound, naming the package to install.
Result<const Library*> load();

}  // namespace stoker::outward::kafka
