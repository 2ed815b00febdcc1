// Quantiles and fractions of what histograms counted.
//
// Within a bucket observations are taken to be spread evenly; in exponential buckets evenly on a logarithmic scale. Of
// a bucket without end nothing is known, so quantiles in it are its finite bound.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "promql/notes.h"
#include "tsdb/histogram.h"

namespace stoker::promql {

// A bucket of a classic histogram.
struct ClassicBucket {
    double upper_bound = 0;
    double count = 0;  // Cumulative.
};

// -Inf below 0, +Inf above 1, NaN without observations or without a bucket up to +Inf. Sorts the buckets and mends
// counts that fall; `mended` then says which, and `forced` that it was by more than rounding.
double classic_quantile(double q, std::vector<ClassicBucket>& buckets, Notes::Mended& mended, bool& forced);
double classic_fraction(double lower, double upper, std::vector<ClassicBucket>& buckets);

// `note`: what to say about observations of NaN, if anything.
double native_quantile(double q, const tsdb::Histogram& histogram, std::string_view& note);
double native_fraction(double lower, double upper, const tsdb::Histogram& histogram, std::string_view& note);

}  // namespace stoker::promql
