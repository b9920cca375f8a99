// The end of a VM, in three steps of the host's: no more running; page by page back (reclaim.s, or unshare for a normal
// VM); and at last everything the hypervisor had for it.

        .section .hyp.text
// __pkvm_start_teardown_vm(handle)
__pkvm_start_teardown_vm:
        frame   0
        bl      hyp_spin_lock
        bl      get_vm_by_handle
        mov     x1, x0
        mov     x0, #-EINVAL
        cbz     x1, 9f
        ldr     x2, [x1, #pkvm_hyp_vm.kvm.arch.pkvm.is_dying]
        cbnz    x2, 9f
        mov     x0, #-EBUSY
        ldr     x2, loaded_hyp_vcpu
        cbz     x2, 1f
        ldr     x2, [x2, #pkvm_hyp_vcpu.vm]
        cmp     x2, x1
        b.eq    9f                              // one of its vCPUs is loaded
1:      mov     x0, #1
        str     x0, [x1, #pkvm_hyp_vm.kvm.arch.pkvm.is_dying]
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 0

// __pkvm_finalize_teardown_vm(handle): -EBUSY before __pkvm_start_teardown_vm, and while the guest still has pages.
__pkvm_finalize_teardown_vm:
        frame   4
        mov     x20, x0
        bl      hyp_spin_lock
        bl      get_vm_by_handle
        mov     x19, x0                         // pkvm_hyp_vm
        mov     x0, #-EINVAL
        cbz     x19, 9f
        mov     x0, #-EBUSY
        ldr     x1, [x19, #pkvm_hyp_vm.kvm.arch.pkvm.is_dying]
        cbz     x1, 9f
        ldr     x1, [x19, #pkvm_hyp_vm.nr_pages]
        cbnz    x1, 9f

        mov     x0, x20
        bl      vm_slot
        str     xzr, [x0]
        mov     x0, x19
        bl      vm_vttbr
        bl      tlb_flush_vmid
        ldr     x20, [x19, #pkvm_hyp_vm.host_kvm]
        mov     x0, x19
        mov     x1, x20
        bl      teardown_tables

        add     x21, x19, #pkvm_hyp_vm.vcpus
        mov     x22, #MINI_MAX_VCPUS
1:      ldr     x23, [x21], #8
        cbz     x23, 2f
        ldr     x0, [x23, #pkvm_hyp_vcpu.host_vcpu]
        bl      hyp_unpin_shared_mem
        hyp_pa  x0, x23, x1
        mov     x1, x20
        bl      teardown_donate
2:      subs    x22, x22, #1
        b.ne    1b

        hyp_pa  x0, x19, x1
        mov     x1, x20
        bl      teardown_donate
        mov     x0, x20
        bl      hyp_unpin_shared_mem
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 4

// teardown_tables: x0 = pkvm_hyp_vm, x1 = the host's struct kvm. All tables of the guest's stage 2, the lowest first.
teardown_tables:
        frame   4
        mov     x20, x1
        ldr     x25, [x0, #pkvm_hyp_vm.kvm.arch.mmu.pgd_phys]
        hyp_va  x19, x25, x1
        add     x21, x19, #GUEST_PGD_PAGES * PAGE_SIZE
1:      ldr     x22, [x19], #8                  // level 1
        cbz     x22, 4f
        and     x22, x22, #PTE_ADDRESS
        hyp_va  x23, x22, x1
        mov     x24, #PAGE_SIZE / 8
2:      ldr     x0, [x23], #8                   // level 2
        cbz     x0, 3f
        and     x0, x0, #PTE_ADDRESS
        mov     x1, x20
        bl      teardown_donate
3:      subs    x24, x24, #1
        b.ne    2b
        mov     x0, x22
        mov     x1, x20
        bl      teardown_donate
4:      cmp     x19, x21
        b.lo    1b
        mov     x0, x25
        mov     x1, x20
        bl      teardown_donate
        add     x0, x25, #PAGE_SIZE
        mov     x1, x20
        bl      teardown_donate
        unframe 4

// teardown_donate: x0 = physical address of a page of the hypervisor's, x1 = the host's struct kvm. Zeroed, put on the
// host's list of pages to free, and given back.
teardown_donate:
        frame   1
        mov     x19, x0
        mov     x20, x1
        hyp_va  x2, x0, x1
        mov     x0, x2
        bl      clear_page
        ldr     x0, [x20, #kvm.arch.pkvm.teardown_mc.head]
        str     x0, [x2]
        str     x19, [x20, #kvm.arch.pkvm.teardown_mc.head]
        ldr     x0, [x20, #kvm.arch.pkvm.teardown_mc.nr_pages]
        add     x0, x0, #1
        str     x0, [x20, #kvm.arch.pkvm.teardown_mc.nr_pages]
        mov     x0, x19
        bl      __pkvm_hyp_donate_host
        unframe 1
