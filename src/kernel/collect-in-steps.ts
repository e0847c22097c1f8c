const UNTOUCHED_BYTES = 128 * 2 ** 20

/**
 * Has V8 begin a collection now, in small steps between other work, where `gc()` would stop everything for a tenth of a
 * second. There is no call for it; but it begins one when it hears of much memory outside its heap. This is never touched,
 * so it takes none. Where the system promises no memory that it does not have, nothing happens.
 */
export function collectInSteps(): void {
  try {
    void new ArrayBuffer(UNTOUCHED_BYTES).byteLength
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
  }
}
