"""librdkafka's own mock cluster as a process: prints its bootstrap servers, then takes commands, one a line.

    topic NAME PARTITIONS     down BROKER     up BROKER        (brokers are 1 to 3)
"""
import ctypes
import sys

rk = ctypes.CDLL("librdkafka.so.1")
for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
    getattr(rk, name).restype = ctypes.c_void_p
rk.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
rk.rd_kafka_new.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
rk.rd_kafka_mock_cluster_new.argtypes = [ctypes.c_void_p, ctypes.c_int]
rk.rd_kafka_mock_cluster_bootstraps.argtypes = [ctypes.c_void_p]
rk.rd_kafka_mock_topic_create.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
rk.rd_kafka_mock_broker_set_down.argtypes = [ctypes.c_void_p, ctypes.c_int32]
rk.rd_kafka_mock_broker_set_up.argtypes = [ctypes.c_void_p, ctypes.c_int32]

error = ctypes.create_string_buffer(512)
handle = rk.rd_kafka_new(0, rk.rd_kafka_conf_new(), error, 512)
if not handle:
    sys.exit(error.value.decode())
cluster = rk.rd_kafka_mock_cluster_new(handle, 3)
print(rk.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
for line in sys.stdin:
    command, *rest = line.split()
    if command == "topic":
        done = rk.rd_kafka_mock_topic_create(cluster, rest[0].encode(), int(rest[1]), 3)
    elif command == "down":
        done = rk.rd_kafka_mock_broker_set_down(cluster, int(rest[0]))
    else:
        done = rk.rd_kafka_mock_broker_set_up(cluster, int(rest[0]))
    print("ok" if done == 0 else f"error {done}", flush=True)
