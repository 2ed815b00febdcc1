#include "promql/interpolation.h"

#include "promql/histogram_math.h"

namespace stoker::promql::internal {

double interpolate(const tsdb::Sample& a, const tsdb::Sample& b, std::int64_t time, bool counter) {
    const double from = counter && b.value < a.value ? 0 : a.value;
    return from + (b.value - from) * static_cast<double>(time - a.time) / static_cast<double>(b.time - a.time);
}

tsdb::Histogram interpolate(const HistogramSample& a, const HistogramSample& b, std::int64_t time, bool counter,
                            Notes& notes, std::size_t place) {
    if (time == a.time) return *a.value;
    tsdb::Histogram result = *b.value;
    if (time == b.time) return result;
    const double fraction = static_cast<double>(time - a.time) / static_cast<double>(b.time - a.time);
    if (counter && detect_reset(*a.value, *b.value)) {
        multiply(result, fraction);
        return result;
    }
    if (subtract_from(result, *a.value).bounds_reconciled) notes.inform(notes::bounds_reconciled("subtraction"), place);
    multiply(result, fraction);
    if (add_to(result, *a.value).bounds_reconciled) notes.inform(notes::bounds_reconciled("addition"), place);
    return result;
}

}  // namespace stoker::promql::internal
