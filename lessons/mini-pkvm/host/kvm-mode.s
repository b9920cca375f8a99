// kvm-arm.mode on the command line, and KVM's start: the memory for EL2, the two calls that bring the hypervisor up.
//
//   nothing, nvhe   the hypervisor comes up, the host keeps all memory: "Hyp nVHE"
//   protected       the host runs on the hypervisor's map: "Protected nVHE"
//   none            no KVM, no /dev/kvm

        .equ    TAINT_WARN, 9

        .data
        .balign 8
kvm_mode:                                       // enum kvm_mode
        .quad   KVM_MODE_DEFAULT
hyp_mem_base:                                   // what the hypervisor was given (physical)
        .quad   0
hyp_mem_size:
        .quad   0
kvm_usable:                                     // 1: /dev/kvm is there
        .quad   0
        .text

early_kvm_mode_cfg:
        enter
        adr     x0, kvm_mode_option
        bl      get_option
        cbz     x0, 9f
        mov     x19, x0
        adr     x20, kvm_modes
1:      mov     x0, x19
        add     x1, x20, #8
        ldr     x21, [x20], #24
        bl      word_is
        cbnz    x0, 2f
        adr     x1, kvm_modes_end
        cmp     x20, x1
        b.lo    1b
        b       3f
2:      cmp     x21, #KVM_MODE_NV
        b.eq    4f
        adr     x1, kvm_mode
        str     x21, [x1]
        b       9f
4:      mov     x0, #TAINT_WARN                 // Linux warns: this CPU cannot nest
        bl      add_taint
3:      print   "Malformed early option 'kvm-arm.mode'\n"
9:      leave

        .section .rodata
kvm_mode_option: .asciz "kvm-arm.mode="
        .balign 8
kvm_modes:                                      // value, name in 16 bytes
        .quad   KVM_MODE_DEFAULT
        .ascii  "nvhe\0\0\0\0\0\0\0\0\0\0\0\0"
        .quad   KVM_MODE_PROTECTED
        .ascii  "protected\0\0\0\0\0\0\0"
        .quad   KVM_MODE_NV
        .ascii  "nested\0\0\0\0\0\0\0\0\0\0"
        .quad   KVM_MODE_NONE
        .ascii  "none\0\0\0\0\0\0\0\0\0\0\0\0"
kvm_modes_end:
        .text

kvm_init:
        .if     CONFIG_KVM
        enter
        ldr     x0, __boot_cpu_mode
        mov     x1, #BOOT_CPU_MODE_EL2
        cmp     x0, x1
        b.ne    7f
        ldr     x19, kvm_mode
        cmp     x19, #KVM_MODE_NONE
        b.eq    8f
        bl      kvm_hyp_reserve
        cbz     x0, 6f

        adr     x2, hyp_memory
        ldr     x0, ram_start
        ldr     x1, ram_bytes
        stp     x0, x1, [x2]
        adr     x2, hyp_memblock_nr
        mov     x0, #1
        str     x0, [x2]
        ldr     x1, hyp_mem_base
        ldr     x2, hyp_mem_size
        mov     x3, #0                          // in Linux: per-CPU areas, and bits of EL2's addresses
        mov     x4, #39
        call_hyp __pkvm_init
        cbnz    x0, 6f
        adr     x0, mode_hyp
        cmp     x19, #KVM_MODE_PROTECTED
        b.ne    1f
        call_hyp __pkvm_prot_finalize
        cbnz    x0, 6f
        adr     x0, mode_protected
1:      bl      printk
        adr     x1, kvm_usable
        mov     x0, #1
        str     x0, [x1]
        leave
6:      print   "kvm [1]: the hypervisor does not start\n"
        leave
7:      print   "kvm [1]: HYP mode not available\n"
        leave
8:      print   "kvm [1]: KVM disabled from command line\n"
        leave

        .section .rodata
mode_hyp:       .asciz "kvm [1]: Hyp nVHE mode initialized successfully\n"
mode_protected: .asciz "kvm [1]: Protected nVHE mode initialized successfully\n"
        .text
        .else
        ret
        .endif

// kvm_hyp_reserve: the end of RAM for the hypervisor; x0 = 0 when something else is there.
kvm_hyp_reserve:
        ldr     x1, ram_bytes
        hyp_mem_size_for x0, x1
        ldr     x2, ram_start
        add     x1, x1, x2
        sub     x1, x1, x0
        and     x1, x1, #~(BLOCK_SIZE - 1)
        ldr     x2, initrd_end
        cmp     x1, x2
        b.lo    1f
        ldr     x2, fdt_physical
        add     x2, x2, #2 << 20
        cmp     x1, x2
        b.lo    1f
        adr     x2, hyp_mem_base
        stp     x1, x0, [x2]
        ret
1:      mov     x0, #0
        ret

// kvm_reboot: before the machine goes off.
kvm_reboot:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        ldr     x0, kvm_usable
        cbz     x0, 1f
        print   "kvm: exiting hardware virtualization\n"
1:      ldp     x29, x30, [sp], #16
        ret
