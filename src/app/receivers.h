// Everyone who speaks with senders of samples and spans in their own protocols, on the paths that they know.
#pragma once

#include <vector>

#include "api/federation.h"
#include "api/push.h"
#include "api/remote_read.h"
#include "api/traces_receiver.h"
#include "app/config.h"
#include "app/forwarding.h"
#include "base/metrics.h"
#include "collect/push/influx_receiver.h"
#include "collect/push/json_receiver.h"
#include "collect/push/otlp_receiver.h"
#include "collect/push/remote_write_receiver.h"
#include "records/telemetry_store.h"
#include "tsdb/store.h"

namespace stoker::app {

// Thread-safe.
class Receivers {
public:
    // REQUIRES: all outlive it.
    Receivers(const Config& config, tsdb::Store& store, records::TelemetryStore& telemetry, Forwarding& forwarding,
              metrics::Registry& registry);

    // REQUIRES: used no longer than this.
    std::vector<api::PushEndpoint> endpoints();

private:
    Forwarding& forwarding_;
    collect::RemoteWriteReceiver remote_write_;
    collect::OtlpReceiver otlp_;
    collect::InfluxReceiver influx_;
    collect::JsonReceiver json_;
    api::TracesReceiver traces_;
    const api::RemoteReader remote_read_;
    const api::Federation federation_;
};

}  // namespace stoker::app
