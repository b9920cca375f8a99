// The one lock. Whoever looks at page states, tables or VMs to decide something holds it from the look to the change:
// between the two another CPU could make the decision wrong. mini-pKVM runs on one CPU; it is written for more.

        .section .hyp.text
// Both keep every register but x15 to x17.
hyp_spin_lock:
        adr     x16, pkvm_lock
        mov     w15, #1
1:      ldaxr   w17, [x16]
        cbnz    w17, 1b
        stxr    w17, w15, [x16]
        cbnz    w17, 1b
        ret

hyp_spin_unlock:
        adr     x16, pkvm_lock
        stlr    wzr, [x16]
        ret
