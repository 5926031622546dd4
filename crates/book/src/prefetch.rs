//! The one thing here that needs `unsafe`: a hint that a cache line will be wanted.

/// Asks for the cache line where `item` begins, without waiting for it.
#[inline(always)]
#[allow(unsafe_code, reason = "the instruction has no safe form")]
pub(crate) fn prefetch<T>(item: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint that changes nothing and cannot fault, whatever the address; this one is that of a
        // live reference besides. It belongs to SSE, which every x86_64 has.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = item;
}
