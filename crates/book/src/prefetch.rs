//! The one thing here that needs `unsafe`: a hint that cache lines will be wanted.

/// Asks for the cache line where `item` begins, without waiting for it.
#[inline(always)]
pub fn prefetch<T>(item: &T) {
    prefetch_line(std::ptr::from_ref(item).cast());
}

/// Asks for the cache line where the item at a place begins, or would if there were so many.
#[inline(always)]
pub(crate) fn prefetch_at<T>(items: &[T], at: usize) {
    prefetch_line(items.as_ptr().wrapping_add(at).cast());
}

/// Asks for all cache lines of `items`.
#[inline]
pub fn prefetch_all<T>(items: &[T]) {
    const LINE_BYTES: usize = 64;
    let start: *const u8 = items.as_ptr().cast();
    for offset in (0..size_of_val(items)).step_by(LINE_BYTES) {
        prefetch_line(start.wrapping_add(offset));
    }
}

#[inline(always)]
#[allow(unsafe_code, reason = "the instruction has no safe form")]
fn prefetch_line(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint that changes nothing and cannot fault, whatever the address. It belongs to SSE, which
        // every x86_64 has.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
