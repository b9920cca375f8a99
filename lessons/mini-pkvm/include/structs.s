// Layouts of everything that the two halves share or that the lab looks at. Names are Linux's; members that mini-pKVM has
// no use for are left out.

// One record for each physical page, in hyp_vmemmap. All zero = the host's alone. (arch/arm64/kvm/hyp/include/nvhe)
        bits    hyp_page.refcount, 0, 16                // hyp_page.__host_state &c. are fields of one 64-bit word
        bits    hyp_page.order, 16, 8
        bits    hyp_page.__host_state, 24, 4
        bits    hyp_page.__hyp_state_comp, 28, 4        // the hypervisor's state XOR PKVM_NOPAGE
        bits    hyp_page.host_share_guest_count, 32, 32
        .equ    hyp_page.sizeof, 8
        .equ    HYP_PAGE_SHIFT, 3

        enumerator pkvm_page_state, PKVM_PAGE_OWNED, 0          // its alone
        enumerator pkvm_page_state, PKVM_PAGE_SHARED_OWNED, 1   // its own, and lent
        enumerator pkvm_page_state, PKVM_PAGE_SHARED_BORROWED, 2
        enumerator pkvm_page_state, PKVM_NOPAGE, 3
        enumerator pkvm_page_state, PKVM_POISON, 4              // only as a reading of a guest's entry

        enumerator pkvm_component_id, PKVM_ID_HOST, 0
        enumerator pkvm_component_id, PKVM_ID_HYP, 1
        enumerator pkvm_component_id, PKVM_ID_GUEST, 2

// Bits 63:60 of an invalid stage 2 entry that is not zero.
        enumerator kvm_invalid_pte_type, KVM_INVALID_PTE_TYPE_LOCKED, 1
        enumerator kvm_invalid_pte_type, KVM_HOST_INVALID_PTE_TYPE_DONATION, 2
        enumerator kvm_invalid_pte_type, KVM_GUEST_INVALID_PTE_TYPE_POISONED, 3
// A donation: bits 3:1 the new owner; of a guest also 19:4 its handle and 59:20 the gfn.
        .equ    KVM_INVALID_PTE_TYPE_SHIFT, 60
        .equ    KVM_HOST_DONATION_OWNER_SHIFT, 1
        .equ    KVM_HOST_DONATION_HANDLE_SHIFT, 4
        .equ    KVM_HOST_DONATION_GFN_SHIFT, 20

        enumerator kvm_pgtable_prot, KVM_PGTABLE_PROT_X, 1
        enumerator kvm_pgtable_prot, KVM_PGTABLE_PROT_W, 2
        enumerator kvm_pgtable_prot, KVM_PGTABLE_PROT_R, 4
        enumerator kvm_pgtable_prot, KVM_PGTABLE_PROT_SW0, 1 << 55      // bit 0 of a guest page's state
        enumerator kvm_pgtable_prot, KVM_PGTABLE_PROT_SW1, 1 << 56      // bit 1

        enumerator kvm_mode, KVM_MODE_DEFAULT, 0
        enumerator kvm_mode, KVM_MODE_PROTECTED, 1
        enumerator kvm_mode, KVM_MODE_NV, 2
        enumerator kvm_mode, KVM_MODE_NONE, 3

// RAM, as the host found it in the device tree: __kvm_nvhe_hyp_memory
        struct  memblock_region
        member  memblock_region.base
        member  memblock_region.size
        endstruct memblock_region

// Pages in a list: `head` is the physical address of the first, whose first word is that of the next.
        struct  kvm_hyp_memcache
        member  kvm_hyp_memcache.head
        member  kvm_hyp_memcache.nr_pages
        endstruct kvm_hyp_memcache

// Registers of one world. regs.sp is SP_EL0; from sp_el1 on in the order that hyp/sysregs.s saves them in.
        struct  kvm_cpu_context
        member  kvm_cpu_context.regs.regs, 31 * 8
        member  kvm_cpu_context.regs.sp
        member  kvm_cpu_context.regs.pc
        member  kvm_cpu_context.regs.pstate
        member  kvm_cpu_context.sp_el1
        member  kvm_cpu_context.elr_el1
        member  kvm_cpu_context.spsr_el1
        member  kvm_cpu_context.sctlr_el1
        member  kvm_cpu_context.cpacr_el1
        member  kvm_cpu_context.tcr_el1
        member  kvm_cpu_context.ttbr0_el1
        member  kvm_cpu_context.ttbr1_el1
        member  kvm_cpu_context.mair_el1
        member  kvm_cpu_context.amair_el1
        member  kvm_cpu_context.vbar_el1
        member  kvm_cpu_context.contextidr_el1
        member  kvm_cpu_context.esr_el1
        member  kvm_cpu_context.far_el1
        member  kvm_cpu_context.afsr0_el1
        member  kvm_cpu_context.afsr1_el1
        member  kvm_cpu_context.par_el1
        member  kvm_cpu_context.tpidr_el0
        member  kvm_cpu_context.tpidrro_el0
        member  kvm_cpu_context.tpidr_el1
        member  kvm_cpu_context.cntkctl_el1
        member  kvm_cpu_context.csselr_el1
        member  kvm_cpu_context.cntv_cval_el0
        member  kvm_cpu_context.cntv_ctl_el0
        endstruct kvm_cpu_context

// A vCPU as the host has it, in one page that it shares with the hypervisor. The hypervisor copies `arch.ctxt` in before
// it runs the guest, and `arch.ctxt` and `arch.fault` out after. The host may have more behind it in the same page.
        struct  kvm_vcpu
        member  kvm_vcpu.arch.ctxt, kvm_cpu_context.sizeof
        member  kvm_vcpu.arch.fault.esr_el2
        member  kvm_vcpu.arch.fault.far_el2
        member  kvm_vcpu.arch.fault.hpfar_el2
        member  kvm_vcpu.arch.pkvm_memcache.head        // pages for the guest's tables, the host's to fill (2 a fault)
        member  kvm_vcpu.arch.pkvm_memcache.nr_pages
        member  kvm_vcpu.vcpu_idx
        endstruct kvm_vcpu
        .equ    kvm_vcpu.arch.ctxt.regs.regs, kvm_vcpu.arch.ctxt + kvm_cpu_context.regs.regs
        .equ    kvm_vcpu.arch.ctxt.regs.sp, kvm_vcpu.arch.ctxt + kvm_cpu_context.regs.sp
        .equ    kvm_vcpu.arch.ctxt.regs.pc, kvm_vcpu.arch.ctxt + kvm_cpu_context.regs.pc
        .equ    kvm_vcpu.arch.ctxt.regs.pstate, kvm_vcpu.arch.ctxt + kvm_cpu_context.regs.pstate

// A VM as the host has it, in one page that it shares with the hypervisor.
        struct  kvm
        member  kvm.created_vcpus
        member  kvm.arch.mmu.vmid                       // these three are filled in the hypervisor's copy only
        member  kvm.arch.mmu.pgd_phys
        member  kvm.arch.mmu.vtcr
        member  kvm.arch.pkvm.handle
        member  kvm.arch.pkvm.is_protected
        member  kvm.arch.pkvm.is_dying
        member  kvm.arch.pkvm.teardown_mc.head          // what the host gets back at the end of the VM
        member  kvm.arch.pkvm.teardown_mc.nr_pages
        endstruct kvm

// The hypervisor's own: the same beginning, in a page that the host has donated.
        struct  pkvm_hyp_vm
        member  pkvm_hyp_vm.kvm, kvm.sizeof
        member  pkvm_hyp_vm.host_kvm                    // address at EL2 of the host's struct kvm
        member  pkvm_hyp_vm.nr_pages                    // pages the guest has: donated or shared, and not yet taken back
        member  pkvm_hyp_vm.vcpus, MINI_MAX_VCPUS * 8   // addresses at EL2
        endstruct pkvm_hyp_vm
        .irp    name, created_vcpus, arch.mmu.vmid, arch.mmu.pgd_phys, arch.mmu.vtcr
        .equ    pkvm_hyp_vm.kvm.\name, pkvm_hyp_vm.kvm + kvm.\name
        .endr
        .irp    name, handle, is_protected, is_dying
        .equ    pkvm_hyp_vm.kvm.arch.pkvm.\name, pkvm_hyp_vm.kvm + kvm.arch.pkvm.\name
        .endr

        struct  pkvm_hyp_vcpu
        member  pkvm_hyp_vcpu.vcpu, kvm_vcpu.sizeof
        member  pkvm_hyp_vcpu.host_vcpu                 // address at EL2 of the host's struct kvm_vcpu
        member  pkvm_hyp_vcpu.vm                        // address at EL2 of its pkvm_hyp_vm
        member  pkvm_hyp_vcpu.hcr_el2
        member  pkvm_hyp_vcpu.loaded_hyp_vcpu           // not 0: loaded on the CPU
        endstruct pkvm_hyp_vcpu
        .equ    pkvm_hyp_vcpu.vcpu.arch.ctxt.regs.pc, pkvm_hyp_vcpu.vcpu + kvm_vcpu.arch.ctxt.regs.pc
        .equ    pkvm_hyp_vcpu.vcpu.arch.ctxt.regs.pstate, pkvm_hyp_vcpu.vcpu + kvm_vcpu.arch.ctxt.regs.pstate
        .equ    pkvm_hyp_vcpu.vcpu.arch.fault.hpfar_el2, pkvm_hyp_vcpu.vcpu + kvm_vcpu.arch.fault.hpfar_el2

// The host's stage 2: __kvm_nvhe_host_mmu
        struct  host_mmu
        member  host_mmu.arch.mmu.pgd_phys
        member  host_mmu.arch.mmu.vtcr
        endstruct host_mmu

// What EL2 was set up with: __kvm_nvhe_kvm_init_params
        struct  kvm_nvhe_init_params
        member  kvm_nvhe_init_params.stack_hyp_va       // top of EL2's stack
        member  kvm_nvhe_init_params.pgd_pa
        member  kvm_nvhe_init_params.hcr_el2            // HCR_EL2 while the host runs
        member  kvm_nvhe_init_params.vttbr
        member  kvm_nvhe_init_params.vtcr
        endstruct kvm_nvhe_init_params
