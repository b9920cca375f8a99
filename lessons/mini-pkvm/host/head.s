// The first instructions at EL1: the kernel's address space, its stack, its vectors.
//
// host_entry: x0 = physical address of the device tree. EL1, MMU off, interrupts masked.

        .equ    MAIR_DEVICE_NORMAL, 0xff04      // attribute 0: Device-nGnRE, attribute 1: Normal write-back
        // Granule 4K and 39 bits on both sides, walks cacheable and inner shareable, 36 bits of physical address.
        .equ    TCR_TTBR0, 25 | (1 << 8) | (1 << 10) | (3 << 12)
        .equ    TCR_TTBR1, (25 << 16) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30)
        .equ    TCR_VALUE, TCR_TTBR0 | TCR_TTBR1 | (1 << 32)
        // M, C, SA, SA0, I, DZE, UCT, nTWI, nTWE, UCI, and the bits that are RES1.
        .equ    SCTLR_VALUE, 0x30d00800 | 0x1 | 0x4 | 0x8 | 0x10 | 0x1000 | 0xc000 | 0x50000 | 0x4000000

        .text
host_entry:
        mov     x19, x0
        adr     x1, swapper_pg_dir
        msr     ttbr0_el1, x1                   // the identity, for the next few instructions
        msr     ttbr1_el1, x1
        ldr     x1, =TCR_VALUE
        msr     tcr_el1, x1
        mov     x1, #MAIR_DEVICE_NORMAL
        msr     mair_el1, x1
        mov     x1, #3 << 20                    // CPACR_EL1.FPEN: EL0 and EL1 may use FP and SIMD
        msr     cpacr_el1, x1
        mov     x1, #2                          // CNTKCTL_EL1.EL0VCTEN: EL0 may read CNTVCT_EL0
        msr     cntkctl_el1, x1
        tlbi    vmalle1
        ic      iallu
        dsb     nsh
        isb
        ldr     x1, =SCTLR_VALUE
        msr     sctlr_el1, x1
        isb

        adr     x1, host_start
        va_of   x1, x1
        br      x1
host_start:
        adr     x1, __bss_start
        adr     x2, __bss_stop
1:      stp     xzr, xzr, [x1], #16             // what is behind it is not in use
        stp     xzr, xzr, [x1], #16
        stp     xzr, xzr, [x1], #16
        stp     xzr, xzr, [x1], #16
        cmp     x1, x2
        b.lo    1b
        mov     x1, #PAGE_OFFSET
        adr     x2, kimage_voffset
        str     x1, [x2]
        adr     x1, init_stack_top - pt_regs.sizeof     // above it are the process's registers
        mov     sp, x1
        mov     x29, #0
        adr     x1, vectors
        msr     vbar_el1, x1
        adr     x1, empty_pg_dir
        pa_of   x1, x1
        msr     ttbr0_el1, x1
        isb
        tlbi    vmalle1
        dsb     nsh
        isb
        // This CPU's variables are the only ones, and where they are linked.
        adr     x1, per_cpu_offset
        ldr     x1, [x1]
        msr     tpidr_el1, x1
        va_of   x0, x19
        bl      start_kernel
        b       .                               // start_kernel does not return

        .data
        .balign 4096
// One level-1 table for everything: 1 GiB of devices, 2 GiB of RAM. Not executable for EL0.
        .equ    BLOCK_DEVICE, 1 | (1 << 10) | (1 << 53) | (1 << 54)
        .equ    BLOCK_NORMAL, 1 | (1 << 2) | (3 << 8) | (1 << 10) | (1 << 54)
swapper_pg_dir:
        .quad   BLOCK_DEVICE
        .quad   BLOCK_NORMAL | 0x40000000
        .quad   BLOCK_NORMAL | 0x80000000
        .skip   4096 - 24
empty_pg_dir:                                   // no user process yet
        .skip   4096

        .balign 8
kimage_voffset:                                 // VA - PA of this code once it runs at its virtual address
        .quad   0
per_cpu_offset:
        .quad   PAGE_OFFSET
__entry_task:                                   // the running process
        .quad   0
        .text
