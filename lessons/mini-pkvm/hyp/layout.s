// What the files of the hypervisor share: its address space, the bits of its tables, the shape of its functions.
//
// EL2 has 39 bits of addresses. It sees its own memory, and nothing else, at HYP_LINEAR + physical address:
//
//   0x00_0000_0000  identity of one page, .hyp.idmap.text: where the MMU is switched on
//   0x40_0000_0000  linear: its text and data, its pool, pages that the host has donated, shared pages while in use
//   0x60_0000_0000  private: guard page, stack, guard page, fixmap (one page at a time), UART
        .equ    HYP_LINEAR, 0x4000000000
        .equ    HYP_PRIVATE, 0x6000000000
        .equ    HYP_STACK_GUARD, HYP_PRIVATE
        .equ    HYP_STACK, HYP_PRIVATE + 0x1000
        .equ    HYP_STACK_TOP, HYP_PRIVATE + 0x2000
        .equ    HYP_FIXMAP, HYP_PRIVATE + 0x3000
        .equ    HYP_UART, HYP_PRIVATE + 0x4000

// MAIR_EL2: attribute 0 is normal memory, write-back; attribute 1 is Device-nGnRE.
        .equ    HYP_MAIR, 0x04ff
// TCR_EL2: 39 bits of input, 40 of output, 4K granule, walks cacheable and inner shareable; bits 31 and 23 are RES1.
        .equ    HYP_TCR, 0x80823519
        .equ    SCTLR_EL2_OFF, 0x30c50830       // the RES1 bits
        .equ    SCTLR_EL2_ON, SCTLR_EL2_OFF | 0x100d    // M, C, SA, I

// Descriptors. Bits 1:0: 1 a block, 3 a table or (at level 3) a page.
        .equ    PTE_VALID, 1
        .equ    PTE_TABLE, 3
        .equ    PTE_XN, 1 << 54
        .equ    PTE_ADDRESS, 0x0000fffffffff000
// Stage 1 of EL2: accessed, inner shareable, attribute 0.
        .equ    PAGE_HYP, 0x743 | PTE_XN
        .equ    PAGE_HYP_RO, 0x7c3 | PTE_XN
        .equ    PAGE_HYP_EXEC, 0x7c3
        .equ    PAGE_HYP_DEVICE, 0x747 | PTE_XN
// Stage 2: accessed, inner shareable, normal memory as far as stage 1 agrees, read and write.
        .equ    PAGE_S2, 0x7ff
        .equ    BLOCK_S2, 0x7fd
        .equ    PTE_S2_R, 1 << 6
        .equ    PTE_S2_W, 1 << 7

// VTCR_EL2 for the host and for guests: 40 bits of input, so the walk starts at level 1 with two concatenated tables.
        .equ    STAGE2_VTCR, 0x80023558

// HCR_EL2
        .equ    HCR_VM, 1 << 0
        .equ    HCR_TWI, 1 << 13
        .equ    HCR_TWE, 1 << 14
        .equ    HCR_TSC, 1 << 19
        .equ    HCR_HCD, 1 << 29
        .equ    HCR_RW, 1 << 31
// A guest: its interrupts, WFI, SMC and implementation-defined registers come to EL2 (FMO, IMO, AMO, TWI, TSC, TIDCP,
// TACR); its barriers and TLB maintenance reach the inner shareable domain (FB, BSU); table walks in devices fault (PTW).
        .equ    HCR_GUEST, HCR_RW | HCR_VM | 0x63e | HCR_TWI | HCR_TSC | (1 << 20) | (1 << 21)
        .equ    CPTR_HOST, 0x33ff               // RES1 only: no trap
        .equ    CPTR_GUEST, 0x37ff              // TFP: a guest has no floating point
        .equ    MDCR_GUEST, 0xe60               // TDRA, TDOSA, TDA, TPM, TPMCR: no debug registers, no counters
        .equ    CNTHCTL_HOST, 3
        .equ    CNTHCTL_GUEST, 1                // the counter, not the physical timer

        .equ    RESERVED_ENTRY, 0xa110ca7ed     // slot of a VM that has a handle and nothing more

// What two parties think of a page, as the byte of hyp_page that holds both: the host's state in its low half, and the
// hypervisor's, XOR PKVM_NOPAGE, in its high half. What the two leave open belongs to a guest.
        .equ    HYP_PAGE_STATES, 3              // offset of that byte
        .equ    HOST_OWNED, PKVM_PAGE_OWNED | ((PKVM_NOPAGE ^ PKVM_NOPAGE) << 4)
        .equ    HOST_LENT_TO_HYP, PKVM_PAGE_SHARED_OWNED | ((PKVM_PAGE_SHARED_BORROWED ^ PKVM_NOPAGE) << 4)
        .equ    HOST_LENT_TO_GUEST, PKVM_PAGE_SHARED_OWNED | ((PKVM_NOPAGE ^ PKVM_NOPAGE) << 4)
        .equ    HYP_OWNED, PKVM_NOPAGE | ((PKVM_PAGE_OWNED ^ PKVM_NOPAGE) << 4)
        .equ    GUEST_OWNED, PKVM_NOPAGE | ((PKVM_NOPAGE ^ PKVM_NOPAGE) << 4)
        .equ    GUEST_LENT_TO_HOST, PKVM_PAGE_SHARED_BORROWED | ((PKVM_NOPAGE ^ PKVM_NOPAGE) << 4)

// The same in bits 56:55 of a guest's entry.
        .equ    PTE_STATE_SHIFT, 55
        .equ    PTE_SHARED_OWNED, PKVM_PAGE_SHARED_OWNED << PTE_STATE_SHIFT
        .equ    PTE_SHARED_BORROWED, PKVM_PAGE_SHARED_BORROWED << PTE_STATE_SHIFT
        .equ    PTE_POISONED, KVM_GUEST_INVALID_PTE_TYPE_POISONED << KVM_INVALID_PTE_TYPE_SHIFT
// Entries of the host's stage 2 for pages that are not the host's.
        .equ    ANNOTATION, KVM_HOST_INVALID_PTE_TYPE_DONATION << KVM_INVALID_PTE_TYPE_SHIFT
        .equ    ANNOTATION_HYP, ANNOTATION | (PKVM_ID_HYP << KVM_HOST_DONATION_OWNER_SHIFT)
        .equ    ANNOTATION_GUEST, ANNOTATION | (PKVM_ID_GUEST << KVM_HOST_DONATION_OWNER_SHIFT)

        .ifndef CONFIG_LOCK_CONTENTION
        .equ    CONFIG_LOCK_CONTENTION, 0
        .endif

// frame n: a function's frame record and n pairs of kept registers, x19 up. unframe n: undo it and return.
        .macro  frame pairs
        stp     x29, x30, [sp, #-16 * (\pairs + 1)]!
        mov     x29, sp
        .if     \pairs > 0
        stp     x19, x20, [sp, #16]
        .endif
        .if     \pairs > 1
        stp     x21, x22, [sp, #32]
        .endif
        .if     \pairs > 2
        stp     x23, x24, [sp, #48]
        .endif
        .if     \pairs > 3
        stp     x25, x26, [sp, #64]
        .endif
        .endm

        .macro  unframe pairs
        .if     \pairs > 3
        ldp     x25, x26, [sp, #64]
        .endif
        .if     \pairs > 2
        ldp     x23, x24, [sp, #48]
        .endif
        .if     \pairs > 1
        ldp     x21, x22, [sp, #32]
        .endif
        .if     \pairs > 0
        ldp     x19, x20, [sp, #16]
        .endif
        ldp     x29, x30, [sp], #16 * (\pairs + 1)
        ret
        .endm

// x2 to x29 to or from a kvm_cpu_context: each_pair stp, x0 or each_pair ldp, x0.
        .macro  each_pair what, context
        \what   x2, x3, [\context, #8 * 2]
        \what   x4, x5, [\context, #8 * 4]
        \what   x6, x7, [\context, #8 * 6]
        \what   x8, x9, [\context, #8 * 8]
        \what   x10, x11, [\context, #8 * 10]
        \what   x12, x13, [\context, #8 * 12]
        \what   x14, x15, [\context, #8 * 14]
        \what   x16, x17, [\context, #8 * 16]
        \what   x18, x19, [\context, #8 * 18]
        \what   x20, x21, [\context, #8 * 20]
        \what   x22, x23, [\context, #8 * 22]
        \what   x24, x25, [\context, #8 * 24]
        \what   x26, x27, [\context, #8 * 26]
        \what   x28, x29, [\context, #8 * 28]
        .endm

// Between physical addresses and EL2's linear ones. Before the MMU is on the distance is 0.
        .macro  hyp_va to, from, scratch
        ldr     \scratch, hyp_physvirt_offset
        sub     \to, \from, \scratch
        .endm

        .macro  hyp_pa to, from, scratch
        ldr     \scratch, hyp_physvirt_offset
        add     \to, \from, \scratch
        .endm
