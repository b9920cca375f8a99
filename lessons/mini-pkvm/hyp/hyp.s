// The hypervisor, in the order in which it is best read. Without CONFIG_KVM nothing of it is left but the way to EL1.

        .include "hyp/layout.s"
        .include "hyp/boot.s"                   // EL2 to EL1
        .if     CONFIG_KVM
        .include "hyp/data.s"
        .include "hyp/vectors.s"                // and back
        .include "hyp/host-trap.s"
        .include "hyp/host-calls.s"
        .include "hyp/lock.s"
        .include "hyp/page-state.s"             // who owns what
        .include "hyp/pgtable.s"
        .include "hyp/tlb.s"
        .include "hyp/setup.s"                  // the hypervisor's own address space
        .include "hyp/host-stage2.s"
        .include "hyp/transitions.s"            // pages change hands: host and hypervisor
        .include "hyp/smc.s"
        .include "hyp/vm.s"
        .include "hyp/guest-stage2.s"
        .include "hyp/guest-pages.s"            // host and guest
        .include "hyp/sysregs.s"
        .include "hyp/world-switch.s"
        .include "hyp/guest-calls.s"
        .include "hyp/reclaim.s"
        .include "hyp/teardown.s"
        .include "hyp/panic.s"
        .endif
