import { answer, attempt, guest, kvm, print } from 'lab'

// A protected VM. Its guest touches two pages: the one with its program, and the one that its secret goes to.
const program = guest('guest.s')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)
const ran = await attempt(vcpu.run({ limitMs: 1 }))
answer('ran', ran.ok ? ran.value.reason : ran.error.code)
print('KVM_RUN:', ran.ok ? ran.value : ran.error.code)

// What the host finds on the secret's page now.
const peek = await attempt(ram.read64(program.symbol('SECRET_PAGE')))
answer('peek', peek.ok ? peek.value : peek.error.code)
print('the host reads the secret\'s page:', peek.ok ? peek.value : peek.error.code)
// The VM stays open: look at it.
