// __pkvm_init: the hypervisor moves into its own address space, in memory that the host gives it, writes down who owns
// what, and draws the host's stage 2. __pkvm_prot_finalize: from then on the host is held to it.

        .section .hyp.text
// __pkvm_init(phys, size): a stretch of RAM for the hypervisor. hyp_memory says where RAM is.
__pkvm_init:
        frame   4
        mov     x2, x0
        mov     x3, x1
        mov     x0, #-EPERM
        ldr     x1, pkvm_initialized
        cbnz    x1, 9f
        mov     x0, #-EINVAL
        ldr     x1, hyp_memblock_nr
        cmp     x1, #1
        b.ne    9f
        ldr     x20, hyp_memory + memblock_region.base
        ldr     x21, hyp_memory + memblock_region.size
        tst     x20, #BLOCK_SIZE - 1
        b.ne    9f
        tst     x21, #PAGE_SIZE - 1
        b.ne    9f
        cbz     x21, 9f
        orr     x1, x20, x21                    // both below 2^37, so that the end is below HYP_LINEAR
        lsr     x1, x1, #37
        cbnz    x1, 9f
        // Whole blocks, in RAM, and not where the kernel's image is.
        orr     x1, x2, x3
        tst     x1, #BLOCK_SIZE - 1
        b.ne    9f
        cmp     x3, x21
        b.hi    9f
        sub     x1, x2, x20
        sub     x4, x21, x3
        cmp     x1, x4
        b.hi    9f
        ldr     x1, =_end
        cmp     x2, x1
        b.hs    1f
        ldr     x1, =_text
        add     x4, x2, x3
        cmp     x4, x1
        b.hi    9f
1:      mov     x0, #-ENOMEM
        hyp_mem_size_for x4, x21
        cmp     x3, x4
        b.lo    9f
        mov     x19, x2
        add     x22, x2, x3                     // x19, x22: start and end of the pool
        bl      divide_memory_pool
        bl      hyp_create_mappings
        bl      hyp_create_private_mappings
        // The distance is right from here on: everything below runs with the MMU on.
        ldr     x1, =-HYP_LINEAR
        adr     x0, hyp_physvirt_offset
        str     x1, [x0]
        adr     x2, __pkvm_init_finalise
        sub     x2, x2, x1
        ldr     x1, =HYP_STACK_TOP
        ldr     x0, hyp_pgd
        b       __pkvm_init_switch_pgd
9:      unframe 4

// divide_memory_pool: x19, x22 = the pool's start and end. Addresses at EL2 go to the variables for the lab to read.
divide_memory_pool:
        frame   2
        mov     x9, #HYP_LINEAR
        adr     x10, host_s2_pgt_base
        add     x0, x19, x9
        str     x0, [x10]
        add     x19, x19, #GUEST_PGD_PAGES * PAGE_SIZE
        adr     x10, vm_table_base
        add     x0, x19, x9
        str     x0, [x10]
        add     x19, x19, #PAGE_SIZE
        adr     x10, vmemmap_base
        add     x0, x19, x9
        str     x0, [x10]
        ldr     x1, hyp_memory + memblock_region.size
        lsr     x1, x1, #PAGE_SHIFT - HYP_PAGE_SHIFT
        add     x19, x19, x1
        add     x19, x19, #PAGE_SIZE - 1
        and     x19, x19, #~(PAGE_SIZE - 1)
        adr     x10, hyp_pgt_base
        add     x0, x19, x9
        str     x0, [x10]
        adr     x10, hyp_pool_next
        str     x19, [x10]
        adr     x10, hyp_pool_end
        str     x22, [x10]
        unframe 2

// hyp_map_range: x0, x1 = physical start and end (rounded up to a page), x2 = attributes, x3 = distance to its address.
hyp_map_range:
        frame   2
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        mov     x22, x3
1:      cmp     x19, x20
        b.hs    9f
        add     x0, x19, x22
        orr     x1, x19, x21
        mov     x2, #3
        bl      hyp_map
        add     x19, x19, #PAGE_SIZE
        b       1b
9:      unframe 2

        .macro  map_section name, attributes
        adr     x0, __\name\()_start
        adr     x1, __\name\()_end
        ldr     x2, =\attributes
        mov     x3, #HYP_LINEAR
        bl      hyp_map_range
        .endm

// hyp_create_mappings: x19, x22 = the pool. Text can be executed and not written, data the other way round.
hyp_create_mappings:
        frame   1
        bl      hyp_alloc_table
        adr     x1, hyp_pgd
        str     x0, [x1]
        map_section hyp_text, PAGE_HYP_EXEC
        map_section hyp_idmap_text, PAGE_HYP_EXEC
        map_section hyp_rodata, PAGE_HYP_RO
        map_section hyp_data, PAGE_HYP
        map_section hyp_bss, PAGE_HYP
        adr     x0, __hyp_idmap_text_start
        adr     x1, __hyp_idmap_text_end
        ldr     x2, =PAGE_HYP_EXEC
        mov     x3, #0
        bl      hyp_map_range
        // The pool, in blocks.
        ldr     x20, =PAGE_HYP & ~2
1:      mov     x1, #HYP_LINEAR
        add     x0, x19, x1
        orr     x1, x19, x20
        mov     x2, #2
        bl      hyp_map
        add     x19, x19, #BLOCK_SIZE
        cmp     x19, x22
        b.lo    1b
        unframe 1

// The stack has nothing mapped below and above it: running over either end is an abort and not a silent overwrite.
hyp_create_private_mappings:
        frame   0
        adr     x1, hyp_stack
        ldr     x0, =PAGE_HYP
        orr     x1, x1, x0
        ldr     x0, =HYP_STACK
        mov     x2, #3
        bl      hyp_map
        ldr     x1, =UART_BASE | PAGE_HYP_DEVICE
        ldr     x0, =HYP_UART
        mov     x2, #3
        bl      hyp_map
        ldr     x0, hyp_pgd
        ldr     x1, =HYP_FIXMAP
        mov     x2, #3
        mov     x3, #0
        bl      pgtable_walk
        mov     x1, #HYP_LINEAR
        add     x0, x0, x1
        adr     x1, fixmap_pte
        str     x0, [x1]
        unframe 0

// With the MMU on, on the new stack. The answer to the call goes straight into host_ctxt.
__pkvm_init_finalise:
        adr     x0, __kvm_hyp_host_vector
        msr     vbar_el2, x0
        isb
        adr     x0, hyp_uart
        ldr     x1, =HYP_UART
        str     x1, [x0]
        bl      hyp_back_vmemmap
        bl      kvm_host_prepare_stage2
        bl      fix_host_ownership
        // The table of VMs last: the lab takes it as the sign that all the rest is there.
        ldr     x19, vm_table_base
        mov     x0, x19
        bl      clear_page
        adr     x1, vm_table
        str     x19, [x1]
        adr     x0, pkvm_initialized
        mov     x1, #1
        str     x1, [x0]
        mov     x0, #0
        b       host_call_done

// hyp_back_vmemmap: a record for each page of RAM. All zeroes: everything is the host's.
hyp_back_vmemmap:
        ldr     x0, vmemmap_base
        ldr     x1, hyp_pgt_base
        ldr     x2, hyp_memory + memblock_region.base
        lsr     x2, x2, #PAGE_SHIFT
        sub     x2, x0, x2, lsl #HYP_PAGE_SHIFT
        adr     x3, __hyp_vmemmap
        str     x2, [x3]
        // Cache lines of 64 bytes are zeroed whole, where the CPU has it so.
        mrs     x2, dczid_el0
        cmp     x2, #4
        b.ne    2f
1:
        .rept   8
        dc      zva, x0
        add     x0, x0, #64
        .endr
        cmp     x0, x1
        b.lo    1b
        ret
2:      stp     xzr, xzr, [x0], #16
        cmp     x0, x1
        b.lo    2b
        ret

// kvm_host_prepare_stage2: the host's tables exist, empty, and are not in force.
kvm_host_prepare_stage2:
        frame   0
        ldr     x0, host_s2_pgt_base
        bl      clear_page
        bl      clear_page
        ldr     x0, host_s2_pgt_base
        hyp_pa  x0, x0, x1
        ldr     x1, =STAGE2_VTCR
        adr     x2, host_mmu
        stp     x0, x1, [x2, #host_mmu.arch.mmu.pgd_phys]
        adr     x2, kvm_init_params
        stp     x0, x1, [x2, #kvm_nvhe_init_params.vttbr]
        mov     x0, #HCR_RW
        str     x0, [x2, #kvm_nvhe_init_params.hcr_el2]
        ldr     x0, =HYP_STACK_TOP
        ldr     x1, hyp_pgd
        stp     x0, x1, [x2]
        unframe 0

// hyp_own_range: x0, x1 = addresses at EL2 of the start and end of memory that is the hypervisor's from now on.
hyp_own_range:
        frame   1
        hyp_pa  x19, x0, x2
        hyp_pa  x20, x1, x2
1:      cmp     x19, x20
        b.hs    9f
        mov     x0, x19
        mov     w1, #HYP_OWNED
        bl      set_page_state
        add     x19, x19, #PAGE_SIZE
        b       1b
9:      unframe 1

        .macro  own_section name
        adr     x0, __\name\()_start
        adr     x1, __\name\()_end
        bl      hyp_own_range
        .endm

// fix_host_ownership: the hypervisor takes itself away from the host.
fix_host_ownership:
        frame   2
        own_section hyp_text
        own_section hyp_idmap_text
        own_section hyp_rodata
        own_section hyp_data
        own_section hyp_bss
        // The pool, a block at a time: one annotation, 512 records.
        ldr     x19, host_s2_pgt_base
        hyp_pa  x19, x19, x0
        ldr     x20, hyp_pool_end
        mov     x21, #HYP_OWNED << 24
1:      mov     x0, x19
        mov     x1, #2
        bl      host_stage2_walk
        tbnz    x0, #63, hyp_bug
        ldr     x1, =ANNOTATION_HYP
        str     x1, [x0]
        mov     x0, x19
        bl      hyp_phys_to_page
        mov     x1, #BLOCK_SIZE / PAGE_SIZE / 8
2:
        .rept   4
        stp     x21, x21, [x0], #16
        .endr
        subs    x1, x1, #1
        b.ne    2b
        add     x19, x19, #BLOCK_SIZE
        cmp     x19, x20
        b.lo    1b
        unframe 2

// __pkvm_prot_finalize(): stage 2 comes into force for the host, and its SMCs come to EL2.
__pkvm_prot_finalize:
        mov     x0, #-EPERM
        ldr     x1, kvm_protected_mode_initialized
        cbnz    x1, 9f
        adr     x2, kvm_init_params
        ldp     x0, x1, [x2, #kvm_nvhe_init_params.vttbr]
        msr     vttbr_el2, x0
        msr     vtcr_el2, x1
        ldr     x0, =HCR_RW | HCR_TSC | HCR_VM
        str     x0, [x2, #kvm_nvhe_init_params.hcr_el2]
        msr     hcr_el2, x0
        isb
        tlbi    vmalls12e1is
        dsb     ish
        isb
        adr     x0, kvm_protected_mode_initialized
        mov     x1, #1
        str     x1, [x0]
        mov     x0, #0
9:      ret
        .ltorg
