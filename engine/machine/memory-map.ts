/** Physical addresses and interrupts, as QEMU's `virt` machine has them. Bytes. */
export const MemoryMap = {
  gicDistributor: { base: 0x08000000, size: 0x10000 },
  /** RD frame and SGI frame of the one PE. */
  gicRedistributor: { base: 0x080a0000, size: 0x20000 },
  uart0: { base: 0x09000000, size: 0x1000 },
  rtc: { base: 0x09010000, size: 0x1000 },
  uart1: { base: 0x09040000, size: 0x1000 },
  ramBase: 0x40000000,
} as const

/** INTIDs: PPIs are 16 and up, SPIs 32 and up. */
export const Intid = {
  maintenance: 25,
  hypTimer: 26,
  virtualTimer: 27,
  securePhysicalTimer: 29,
  physicalTimer: 30,
  uart0: 32 + 1,
  rtc: 32 + 2,
  uart1: 32 + 8,
} as const

/** Sizes of RAM that the machine can have, in bytes. */
export const RAM_MIN = 128 * 1024 * 1024
export const RAM_MAX = 2048 * 1024 * 1024
