// Loads, stores and fetches that the MMU refused: pages made on demand, signals for the process, a way out for the
// kernel, and what the host does when it runs into a page that the hypervisor has taken away.

        .equ    ESR_FSC_ALIGNMENT, 0x20

// The hypervisor tells the host of an abort at stage 2 by an abort with ESR_S1PTW set. Stage 1 alone never sets it:
// no table of the host's is ever given away.

// do_user_abort: x0 = address, x1 = ESR.
do_user_abort:
        enter
        mov     x19, x0
        bl      handle_user_fault
        cbz     x0, 1f
        mov     x2, x19
        bl      raise_fault_signal
1:      leave

// handle_user_fault: x0 = user address, x1 = ESR. x0 = 0 when the access can be tried again, else the signal, and its
// si_code in x1.
// x19 = address, x20 = ESR, x21 = vm_area_struct, x22 = PROT_ bit the access needs
handle_user_fault:
        enter
        mov     x19, x0
        mov     x20, x1
        tbnz    x20, #7, 8f                     // ESR_S1PTW: there, and not ours to touch
        lsr     x2, x19, #39
        cbnz    x2, 7f
        bl      find_vma
        cbz     x0, 7f
        mov     x21, x0
        and     x1, x20, #ESR_FSC_TYPE
        cmp     x1, #ESR_FSC_ALIGNMENT
        b.eq    5f
        cmp     x1, #ESR_FSC_PERMISSION
        b.eq    8f
        cmp     x1, #ESR_FSC_TRANSLATION
        b.ne    6f
        lsr     x1, x20, #26
        mov     x22, #PROT_EXEC
        cmp     x1, #ESR_EC_IABT_LOW
        b.eq    1f
        tst     x20, #ESR_WNR
        mov     x2, #PROT_WRITE
        mov     x3, #PROT_READ
        csel    x22, x2, x3, ne
1:      ldr     x2, [x21, #vm_area_struct.prot]
        tst     x2, x22
        b.eq    8f
        mov     x0, x21
        mov     x1, x19
        bl      populate_page
        cbnz    x0, 6f
        mov     x0, #0
        leave
5:      mov     x0, #SIGBUS
        mov     x1, #BUS_ADRALN
        leave
6:      mov     x0, #SIGBUS
        mov     x1, #BUS_ADRERR
        leave
7:      mov     x0, #SIGSEGV
        mov     x1, #SEGV_MAPERR
        leave
8:      mov     x0, #SIGSEGV
        mov     x1, #SEGV_ACCERR
        leave

// do_kernel_abort: x0 = address, x1 = ESR, x2 = pt_regs of the kernel's code. x0 = 0 when it can go on.
// Three accesses may fault in the kernel:
// - to user memory (uaccess.s) that is not there yet: it is made;
// - to user memory that may not be touched: the copy ends with -EFAULT;
// - through the linear map to a page that a protected guest owns: it is taken back by force, and the access repeated.
do_kernel_abort:
        enter
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        lsr     x3, x19, #39
        cbz     x3, 1f
        tbz     x20, #7, 2f                     // ESR_S1PTW
        bl      pkvm_force_reclaim_guest_page
        cbz     x0, 9f
        b       2f
1:      bl      handle_user_fault
        cbz     x0, 9f
2:      ldr     x3, [x21, #pt_regs.pc]
        adr     x4, uaccess_begin
        cmp     x3, x4
        b.lo    8f
        adr     x4, uaccess_end
        cmp     x3, x4
        b.hs    8f
        adr     x4, uaccess_fault
        str     x4, [x21, #pt_regs.pc]
9:      mov     x0, #0
        leave
8:      mov     x0, #1
        leave
