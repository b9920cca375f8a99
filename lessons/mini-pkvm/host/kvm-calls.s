// What a guest asks the host for by HVC or SMC: PSCI, and little else. Function in w0, arguments from x1.

        .equ    PSCI_VERSION, 0x84000000
        .equ    PSCI_CPU_OFF, 0x84000002
        .equ    PSCI_CPU_ON, 0x84000003
        .equ    PSCI_CPU_ON_64, 0xc4000003
        .equ    PSCI_FEATURES, 0x8400000a
        .equ    PSCI_VERSION_1_3, 0x10003
        .equ    PSCI_INVALID_PARAMETERS, -2
        .equ    PSCI_ALREADY_ON, -4
        .equ    PSCI_INTERNAL_FAILURE, -6
        .equ    SMCCC_VERSION, 0x80000000
        .equ    SMCCC_VERSION_1_1, 0x10001
        .equ    KVM_FEATURES, 3                 // bits 0 and 1: features and PTP, as Linux answers normal guests

// kvm_smccc_call_handler: x0 = struct kvm_vcpu; result as of handle_exit.
kvm_smccc_call_handler:
        enter
        mov     x19, x0
        ldr     w20, [x0]
        mov     x0, #SMCCC_RET_NOT_SUPPORTED
        ldr     w1, =SMCCC_VERSION
        cmp     w20, w1
        b.eq    1f
        ldr     w1, =ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID
        cmp     w20, w1
        b.eq    2f
        ldr     x1, [x19, #kvm_vcpu.features]
        tbz     x1, #2, 9f                      // KVM_ARM_VCPU_PSCI_0_2
        ldr     w1, =PSCI_VERSION
        sub     w1, w20, w1
        cbz     w1, 3f
        cmp     w1, #PSCI_CPU_OFF - PSCI_VERSION
        b.eq    4f
        cmp     w1, #PSCI_CPU_ON - PSCI_VERSION
        b.eq    5f
        cmp     w1, #PSCI_SYSTEM_OFF - PSCI_VERSION
        b.eq    6f
        cmp     w1, #PSCI_SYSTEM_RESET - PSCI_VERSION
        b.eq    7f
        cmp     w1, #PSCI_FEATURES - PSCI_VERSION
        b.eq    8f
        ldr     w1, =PSCI_CPU_ON_64
        cmp     w20, w1
        b.eq    5f
        b       9f
1:      ldr     w0, =SMCCC_VERSION_1_1
        b       9f
2:      mov     x0, #KVM_FEATURES
        b       9f
3:      ldr     w0, =PSCI_VERSION_1_3
        b       9f
4:      mov     x1, #1
        str     x1, [x19, #kvm_vcpu.stopped]
        b       9f
5:      bl      psci_cpu_on
        b       9f
6:      mov     w21, #KVM_SYSTEM_EVENT_SHUTDOWN
        b       psci_system_event
7:      mov     w21, #KVM_SYSTEM_EVENT_RESET
        b       psci_system_event
8:      ldr     w1, [x19, #8]                   // which function
        ldr     w2, =PSCI_VERSION
        sub     w1, w1, w2
        mov     x2, #0
        cmp     w1, #PSCI_FEATURES - PSCI_VERSION
        csel    x0, x2, x0, ls
9:      str     x0, [x19]
        mov     x0, #1
        leave

// In kvm_smccc_call_handler's frame: the machine is to go off, or to start anew. That is up to the process.
psci_system_event:
        mov     x0, #PSCI_INTERNAL_FAILURE      // what the guest sees if it is run on
        str     x0, [x19]
        ldr     x1, [x19, #kvm_vcpu.run]
        mov     w2, #KVM_EXIT_SYSTEM_EVENT
        str     w2, [x1, #kvm_run.exit_reason]
        str     w21, [x1, #kvm_run.system_event.type]
        mov     w2, #1
        str     w2, [x1, #kvm_run.system_event.ndata]
        str     xzr, [x1, #kvm_run.mmio.data]   // data[0]: flags
        mov     x0, #0
        leave

// psci_cpu_on: x19 = the vCPU that calls: x1 = MPIDR of another one, x2 = its PC, x3 = its x0. x0 = PSCI's answer.
psci_cpu_on:
        enter
        ldp     x20, x21, [x19, #8]
        ldr     x22, [x19, #24]
        ldr     x1, [x19, #kvm_vcpu.kvm]
        add     x1, x1, #kvm.vcpus
        mov     x2, #MINI_MAX_VCPUS
        ldr     x3, =0xff00ffffff               // Aff3 to Aff0
        and     x20, x20, x3
        mov     x0, #PSCI_INVALID_PARAMETERS
1:      ldr     x23, [x1], #8
        cbz     x23, 2f
        ldr     x3, [x23, #kvm_vcpu.vcpu_idx]
        cmp     x3, x20
        b.eq    3f
2:      subs    x2, x2, #1
        b.ne    1b
        leave
3:      ldr     x1, [x23, #kvm_vcpu.initialized]
        cbz     x1, 9f
        ldr     x1, [x23, #kvm_vcpu.stopped]
        mov     x0, #PSCI_ALREADY_ON
        cbz     x1, 9f
        mov     x0, x23
        bl      kvm_reset_vcpu
        str     x22, [x23]
        str     x21, [x23, #kvm_vcpu.arch.ctxt.regs.pc]
        str     xzr, [x23, #kvm_vcpu.stopped]
        mov     x0, #0
9:      leave
