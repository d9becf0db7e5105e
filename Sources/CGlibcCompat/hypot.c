#include "glibc_compat.h"

// Scaling by the larger magnitude keeps the square from overflowing; infinities win over NaN as C99 F.9.4.3 asks.
double hypot(double x, double y) {
    x = __builtin_fabs(x);
    y = __builtin_fabs(y);
    if (__builtin_isinf(x) || __builtin_isinf(y)) return __builtin_inf();
    if (x < y) {
        double swap = x;
        x = y;
        y = swap;
    }
    if (x == 0.0 || __builtin_isnan(x) || __builtin_isnan(y)) return x + y;
    double ratio = y / x;
    return x * __builtin_sqrt(1.0 + ratio * ratio);
}

float hypotf(float x, float y) {
    return (float)hypot((double)x, (double)y);
}
