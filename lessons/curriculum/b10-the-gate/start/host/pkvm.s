// The host's half of pKVM: what it asks the hypervisor for, and what it keeps in order to give everything back.

// kvm_share_hyp, kvm_unshare_hyp: x0 = page (VA) that the hypervisor may use too; x0 = 0 or a negative errno.
kvm_share_hyp:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        pa_of   x1, x0
        lsr     x1, x1, #PAGE_SHIFT
        call_hyp __pkvm_host_share_hyp
        ldp     x29, x30, [sp], #16
        ret
kvm_unshare_hyp:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        pa_of   x1, x0
        lsr     x1, x1, #PAGE_SHIFT
        call_hyp __pkvm_host_unshare_hyp
        ldp     x29, x30, [sp], #16
        ret

// pkvm_init_host_vm: x0 = struct kvm, x1 = type; x0 = 0 or a negative errno. Every VM gets a handle.
pkvm_init_host_vm:
        enter
        mov     x19, x0
        ubfx    x20, x1, #31, #1                // KVM_VM_TYPE_ARM_PROTECTED
        // <- 2. Without the option nobody is protected: x20 not 0 is -EINVAL, before the hypervisor is asked for a handle.
        call_hyp __pkvm_reserve_vm
        tbnz    x0, #63, 9f
        stp     x0, x20, [x19, #kvm.arch.pkvm.handle]
        // <- 3. A protected VM taints the kernel: taint_for_protected_vm. A normal one does not.
        mov     x0, #0
9:      leave

// The first time only there is a message.
taint_for_protected_vm:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        adr     x1, protected_vm_message
        ldr     x0, [x1]
        cbnz    x0, 1f
        mov     x0, #1
        str     x0, [x1]
        print   "kvm: protected VMs are experimental and for development only, tainting kernel\n"
1:      mov     x0, #TAINT_USER
        bl      add_taint
        ldp     x29, x30, [sp], #16
        ret

        .bss
        .balign 8
protected_vm_message:
        .skip   8
        .text

// pkvm_create_hyp_vm: x0 = struct kvm. Before the first vCPU runs; x0 = 0 or a negative errno.
pkvm_create_hyp_vm:
        enter
        mov     x19, x0
        mov     x0, #0
        ldr     x1, [x19, #kvm.hyp_created]
        cbnz    x1, 9f
        bl      alloc_page
        cbz     x0, 8f
        mov     x20, x0
        mov     x0, #GUEST_PGD_PAGES / 2        // order
        bl      alloc_pages
        cbz     x0, 7f
        mov     x21, x0
        pa_of   x1, x19
        pa_of   x2, x20
        pa_of   x3, x21
        call_hyp __pkvm_init_vm
        cbnz    x0, 6f
        mov     x1, #1
        str     x1, [x19, #kvm.hyp_created]
        b       9f
6:      mov     x22, x0
        mov     x0, x21
        mov     x1, #GUEST_PGD_PAGES / 2
        bl      free_pages
        mov     x0, x20
        bl      put_page
        mov     x0, x22
        b       9f
7:      mov     x0, x20
        bl      put_page
8:      mov     x0, #-ENOMEM
9:      leave

// pkvm_create_hyp_vcpu: x0 = struct kvm_vcpu.
pkvm_create_hyp_vcpu:
        enter
        mov     x19, x0
        mov     x0, #0
        ldr     x1, [x19, #kvm_vcpu.hyp_created]
        cbnz    x1, 9f
        bl      alloc_page
        cbz     x0, 8f
        mov     x20, x0
        ldr     x1, [x19, #kvm_vcpu.kvm]
        ldr     x1, [x1, #kvm.arch.pkvm.handle]
        pa_of   x2, x19
        pa_of   x3, x20
        call_hyp __pkvm_init_vcpu
        cbnz    x0, 7f
        mov     x1, #1
        str     x1, [x19, #kvm_vcpu.hyp_created]
        b       9f
7:      mov     x21, x0
        mov     x0, x20
        bl      put_page
        mov     x0, x21
        b       9f
8:      mov     x0, #-ENOMEM
9:      leave

// pkvm_destroy_hyp_vm: x0 = struct kvm. Everything that the VM had comes back.
pkvm_destroy_hyp_vm:
        enter
        mov     x19, x0
        ldr     x20, [x19, #kvm.arch.pkvm.handle]
        ldr     x1, [x19, #kvm.hyp_created]
        cbnz    x1, 1f
        mov     x1, x20
        call_hyp __pkvm_unreserve_vm
        leave
1:      ldr     x1, [x19, #kvm.arch.pkvm.is_protected]
        cbz     x1, 2f
        mov     x1, x20
        call_hyp __pkvm_start_teardown_vm
2:      mov     x0, x19
        mov     x1, #0
        mov     x2, #-1
        bl      unmap_gfn_range
        ldr     x1, [x19, #kvm.arch.pkvm.is_protected]
        cbnz    x1, 3f
        mov     x1, x20
        call_hyp __pkvm_start_teardown_vm
3:      mov     x1, x20
        call_hyp __pkvm_finalize_teardown_vm
        add     x0, x19, #kvm.arch.pkvm.teardown_mc.head
        bl      free_hyp_memcache
        // The list of mappings is empty now.
        ldr     x21, [x19, #kvm.mappings]
4:      cbz     x21, 5f
        mov     x0, x21
        ldr     x21, [x21, #pkvm_mappings.next]
        bl      put_page
        b       4b
5:      leave

// topup_hyp_memcache: x0 = struct kvm_vcpu. Two pages for tables, enough for any one page of the guest.
topup_hyp_memcache:
        enter
        mov     x19, x0
1:      ldr     x1, [x19, #kvm_vcpu.arch.pkvm_memcache.nr_pages]
        cmp     x1, #2
        b.hs    2f
        bl      alloc_page
        cbz     x0, 8f
        ldp     x1, x2, [x19, #kvm_vcpu.arch.pkvm_memcache.head]
        str     x1, [x0]
        pa_of   x1, x0
        add     x2, x2, #1
        stp     x1, x2, [x19, #kvm_vcpu.arch.pkvm_memcache.head]
        b       1b
2:      mov     x0, #0
        leave
8:      mov     x0, #-ENOMEM
        leave

// free_hyp_memcache: x0 = struct kvm_hyp_memcache.
free_hyp_memcache:
        enter
        mov     x19, x0
        ldp     x20, x21, [x19]
1:      cbz     x21, 2f
        va_of   x0, x20
        ldr     x20, [x0]
        bl      put_page
        sub     x21, x21, #1
        b       1b
2:      stp     xzr, xzr, [x19]
        leave

// pkvm_pgtable_stage2_map: x0 = vCPU (loaded), x1 = gfn, x2 = page (VA) that the caller holds for the guest, x3 not 0
// when the guest may not write. A protected guest gets the page, another one a share in it; x0 = 0 or a negative errno.
pkvm_pgtable_stage2_map:
        enter
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        mov     x22, x3
        ldr     x23, [x19, #kvm_vcpu.kvm]
        bl      topup_hyp_memcache
        cbnz    x0, 9f
        mov     x0, x23
        bl      room_for_mapping
        cbnz    x0, 9f
        // What the CPU has fetched from the page is forgotten: it may have held another guest's code. (The page itself
        // is not touched: it could be someone else's already, and would be taken from him by force.)
        dsb     ish
        ic      ialluis
        dsb     ish
        isb
        pa_of   x1, x21
        lsr     x1, x1, #PAGE_SHIFT
        mov     x2, x20
        ldr     x0, [x23, #kvm.arch.pkvm.is_protected]
        cbz     x0, 1f
        call_hyp __pkvm_host_donate_guest
        b       2f
1:      mov     x3, #1
        mov     x4, #KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W | KVM_PGTABLE_PROT_X
        cmp     x22, #0
        mov     x5, #KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X
        csel    x4, x5, x4, ne
        call_hyp __pkvm_host_share_guest
2:      cbnz    x0, 3f
        ldr     x1, [x23, #kvm.mappings]
        ldr     x2, [x1, #pkvm_mappings.count]
        add     x3, x1, #pkvm_mappings.entries
        add     x3, x3, x2, lsl #4
        stp     x20, x21, [x3]
        add     x2, x2, #1
        str     x2, [x1, #pkvm_mappings.count]
        mov     x0, #0
9:      leave
        // Linux warns as well: a host that keeps its books never asks for this.
3:      mov     x19, x0
        print   "WARNING: the hypervisor refuses a page for a guest\n"
        mov     x0, #TAINT_WARN
        bl      add_taint
        mov     x0, x19
        leave

// room_for_mapping: x0 = struct kvm. The first page of mappings has room afterwards; x0 = 0 or -ENOMEM.
room_for_mapping:
        enter
        mov     x19, x0
        ldr     x1, [x19, #kvm.mappings]
        cbz     x1, 1f
        ldr     x2, [x1, #pkvm_mappings.count]
        cmp     x2, #MAPPINGS_PER_PAGE
        b.lo    2f
1:      bl      alloc_page
        cbz     x0, 8f
        ldr     x1, [x19, #kvm.mappings]
        str     x1, [x0, #pkvm_mappings.next]
        str     x0, [x19, #kvm.mappings]
2:      mov     x0, #0
        leave
8:      mov     x0, #-ENOMEM
        leave

// find_mapping: x0 = struct kvm, x1 = gfn; x0 = the guest's page there (VA), or 0.
find_mapping:
        ldr     x2, [x0, #kvm.mappings]
1:      cbz     x2, 4f
        ldr     x3, [x2, #pkvm_mappings.count]
        add     x4, x2, #pkvm_mappings.entries
2:      cbz     x3, 3f
        ldp     x5, x6, [x4], #16
        cmp     x5, x1
        b.eq    5f
        sub     x3, x3, #1
        b       2b
3:      ldr     x2, [x2, #pkvm_mappings.next]
        b       1b
4:      mov     x6, #0
5:      mov     x0, x6
        ret

// unmap_memslot: x0 = struct kvm, x1 = memslot.
unmap_memslot:
        ldp     x1, x2, [x1]
// unmap_gfn_range: x0 = struct kvm, x1 = first gfn, x2 = how many. Takes the guest's pages back, with the
// hypervisor's consent, and lets go of them.
// x19 = kvm, x20 = first gfn, x21 = pages, x22 = struct pkvm_mappings, x23 = index, x24 = entry
unmap_gfn_range:
        enter
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        ldr     x22, [x19, #kvm.mappings]
1:      cbz     x22, 9f
        mov     x23, #0
2:      ldr     x0, [x22, #pkvm_mappings.count]
        cmp     x23, x0
        b.hs    5f
        add     x24, x22, #pkvm_mappings.entries
        add     x24, x24, x23, lsl #4
        ldr     x2, [x24]
        sub     x3, x2, x20
        cmp     x3, x21
        b.hs    4f
        ldr     x1, [x19, #kvm.arch.pkvm.handle]
        ldr     x3, [x19, #kvm.arch.pkvm.is_protected]
        cbz     x3, 3f
        call_hyp __pkvm_reclaim_dying_guest_page
        cbnz    x0, 4f                          // it stays the guest's
        adr     x1, init_task
        ldr     x2, [x1, #task_struct.locked_vm]
        sub     x2, x2, #1
        str     x2, [x1, #task_struct.locked_vm]
        b       6f
3:      mov     x3, #1
        call_hyp __pkvm_host_unshare_guest
        cbnz    x0, 4f
6:      ldr     x0, [x24, #8]
        bl      put_page
        // The last entry takes its place.
        ldr     x0, [x22, #pkvm_mappings.count]
        sub     x0, x0, #1
        str     x0, [x22, #pkvm_mappings.count]
        add     x1, x22, #pkvm_mappings.entries
        add     x1, x1, x0, lsl #4
        ldp     x2, x3, [x1]
        stp     x2, x3, [x24]
        b       2b
4:      add     x23, x23, #1
        b       2b
5:      ldr     x22, [x22, #pkvm_mappings.next]
        b       1b
9:      leave

// pkvm_force_reclaim_guest_page: x0 = kernel address of a page that turned out to be a guest's. x0 = 0 when it is the
// host's again: zeroed, and poisoned for the guest.
pkvm_force_reclaim_guest_page:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        pa_of   x1, x0
        and     x1, x1, #~PAGE_MASK
        ldr     x0, kvm_usable
        cbz     x0, 1f
        call_hyp __pkvm_force_reclaim_guest_page
        ldp     x29, x30, [sp], #16
        ret
1:      mov     x0, #-EINVAL
        ldp     x29, x30, [sp], #16
        ret
