// KVM_GET_ONE_REG, KVM_SET_ONE_REG, KVM_GET_REG_LIST: a vCPU's registers by their 64-bit ids.
//
// An id is KVM_REG_ARM64 | KVM_REG_SIZE_U64 and either the offset in struct kvm_regs in words (x0-x30, sp, pc, pstate,
// sp_el1, elr_el1, spsr_el1, in which order struct kvm_cpu_context begins too), or a system register's encoding.

        .equ    REG_CORE, 0x10
        .equ    REG_SYSTEM, 0x13
        .equ    REG_PREFIX, 0x603000000000      // bits 63:16 without the two above
        .equ    CORE_REGISTERS, 37

        .macro  system_register op0, op1, crn, crm, op2, name, unknown=0
        .hword  (\op0 << 14) | (\op1 << 11) | (\crn << 7) | (\crm << 3) | \op2, kvm_cpu_context.\name + \unknown
        .endm

        .section .rodata
        .balign 4
system_registers:                               // encoding; place in struct kvm_cpu_context, + 1: reset to any value
        system_register 3, 0, 1, 0, 0, sctlr_el1
        system_register 3, 0, 1, 0, 2, cpacr_el1
        system_register 3, 0, 2, 0, 0, ttbr0_el1, 1
        system_register 3, 0, 2, 0, 1, ttbr1_el1, 1
        system_register 3, 0, 2, 0, 2, tcr_el1
        system_register 3, 0, 5, 1, 0, afsr0_el1, 1
        system_register 3, 0, 5, 1, 1, afsr1_el1, 1
        system_register 3, 0, 5, 2, 0, esr_el1, 1
        system_register 3, 0, 6, 0, 0, far_el1, 1
        system_register 3, 0, 7, 4, 0, par_el1, 1
        system_register 3, 0, 10, 2, 0, mair_el1, 1
        system_register 3, 0, 10, 3, 0, amair_el1
        system_register 3, 0, 12, 0, 0, vbar_el1
        system_register 3, 0, 13, 0, 1, contextidr_el1
        system_register 3, 0, 13, 0, 4, tpidr_el1, 1
        system_register 3, 0, 14, 1, 0, cntkctl_el1
        system_register 3, 2, 0, 0, 0, csselr_el1, 1
        system_register 3, 3, 13, 0, 2, tpidr_el0, 1
        system_register 3, 3, 13, 0, 3, tpidrro_el0, 1
        .word   0
        .text

// register_place: x0 = struct kvm_vcpu, x1 = id; x0 = where its value is, or 0.
register_place:
        lsr     x2, x1, #16
        ldr     x3, =REG_PREFIX | REG_CORE
        cmp     x2, x3
        b.eq    3f
        ldr     x3, =REG_PREFIX | REG_SYSTEM
        cmp     x2, x3
        b.ne    9f
        and     x1, x1, #0xffff
        adr     x2, system_registers
1:      ldrh    w3, [x2]
        ldrh    w4, [x2, #2]
        cbz     w3, 9f
        add     x2, x2, #4
        cmp     x3, x1
        b.ne    1b
        and     x4, x4, #~1
        add     x0, x0, x4
        ret
3:      and     x1, x1, #0xffff
        tbnz    x1, #0, 9f
        cmp     x1, #2 * CORE_REGISTERS
        b.hs    9f
        add     x0, x0, x1, lsl #2
        ret
9:      mov     x0, #0
        ret

// identification: x1 = id; x0 = the value of that identification register, which guests see as it is, or -ENOENT.
        .macro  identification_register op0, op1, crn, crm, op2, name
        ldr     x2, =((REG_PREFIX | REG_SYSTEM) << 16) | (\op0 << 14) | (\op1 << 11) | (\crn << 7) | (\crm << 3) | \op2
        cmp     x1, x2
        b.ne    1f
        mrs     x0, \name
        ret
1:
        .endm

identification:
        identification_register 3, 0, 0, 0, 0, midr_el1
        identification_register 3, 3, 0, 0, 1, ctr_el0
        identification_register 3, 1, 0, 0, 1, clidr_el1
        identification_register 3, 0, 0, 4, 0, id_aa64pfr0_el1
        identification_register 3, 0, 0, 4, 1, id_aa64pfr1_el1
        identification_register 3, 0, 0, 5, 0, id_aa64dfr0_el1
        identification_register 3, 0, 0, 6, 0, id_aa64isar0_el1
        identification_register 3, 0, 0, 6, 1, id_aa64isar1_el1
        identification_register 3, 0, 0, 7, 0, id_aa64mmfr0_el1
        identification_register 3, 0, 0, 7, 1, id_aa64mmfr1_el1
        identification_register 3, 0, 0, 7, 2, id_aa64mmfr2_el1
        mov     x0, #-ENOENT
        ret

// kvm_one_reg: x0 = struct kvm_vcpu, x1 = struct kvm_one_reg (user): id, address of the value; x2 = 1 to set it.
kvm_one_reg:
        enter
        sub     sp, sp, #32
        mov     x19, x0
        mov     x20, x2
        ldr     x2, [x0, #kvm_vcpu.initialized]
        mov     x0, #-ENOEXEC
        cbz     x2, 9f
        mov     x0, sp
        mov     x2, #16
        bl      copy_from_user
        cbnz    x0, 9f
        ldp     x21, x22, [sp]
        mov     x0, x19
        mov     x1, x21
        bl      register_place
        mov     x23, x0
        cbnz    x0, 1f
        mov     x1, x21
        bl      identification
        str     x0, [sp, #24]
        cmn     x0, #ENOENT
        b.eq    9f
        add     x23, sp, #24
1:      cbnz    x20, 2f
        mov     x0, x22
        mov     x1, x23
        mov     x2, #8
        bl      copy_to_user
        b       9f
2:      add     x0, sp, #16
        mov     x1, x22
        mov     x2, #8
        bl      copy_from_user
        cbnz    x0, 9f
        ldr     x1, [sp, #16]
        add     x2, sp, #24
        cmp     x23, x2
        b.ne    3f
        ldr     x2, [sp, #24]                   // identification does not change
        cmp     x1, x2
        b.ne    8f
3:      add     x2, x19, #kvm_vcpu.arch.ctxt.regs.pstate
        cmp     x23, x2
        b.ne    4f
        and     x2, x1, #0x1f                   // EL0t, EL1t or EL1h
        cbz     x2, 4f
        cmp     x2, #PSR_MODE_EL1t
        ccmp    x2, #PSR_MODE_EL1h, #4, ne
        b.ne    8f
4:      str     x1, [x23]
        mov     x0, #0
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #32
        leave

// kvm_reg_list: x0 = struct kvm_vcpu, x1 = struct kvm_reg_list (user): room for how many, then the ids.
kvm_reg_list:
        enter
        sub     sp, sp, #16
        mov     x19, x1
        ldr     x2, [x0, #kvm_vcpu.initialized]
        mov     x0, #-ENOEXEC
        cbz     x2, 9f
        adr     x20, system_registers
        mov     x21, #0
1:      ldrh    w1, [x20], #4
        cbz     w1, 2f
        add     x21, x21, #1
        b       1b
2:      add     x21, x21, #CORE_REGISTERS       // how many there are
        mov     x0, sp
        mov     x1, x19
        mov     x2, #8
        bl      copy_from_user
        cbnz    x0, 9f
        ldr     x22, [sp]
        str     x21, [sp]
        mov     x0, x19
        mov     x1, sp
        mov     x2, #8
        bl      copy_to_user
        cbnz    x0, 9f
        cmp     x22, x21
        mov     x0, #-E2BIG
        b.lo    9f
        mov     x22, #0
3:      ldr     x1, =(REG_PREFIX | REG_CORE) << 16
        add     x1, x1, x22, lsl #1
        subs    x2, x22, #CORE_REGISTERS
        b.lo    4f
        adr     x3, system_registers
        lsl     x2, x2, #2
        ldrh    w2, [x3, x2]
        ldr     x1, =(REG_PREFIX | REG_SYSTEM) << 16
        orr     x1, x1, x2
4:      str     x1, [sp]
        add     x19, x19, #8
        mov     x0, x19
        mov     x1, sp
        mov     x2, #8
        bl      copy_to_user
        cbnz    x0, 9f
        add     x22, x22, #1
        cmp     x22, x21
        b.lo    3b
        mov     x0, #0
9:      add     sp, sp, #16
        leave
