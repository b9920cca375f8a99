import { answer, attempt, guest, kvm, print } from 'lab'

// The victim: a protected VM of somebody else's, started by this process.
const dev = await kvm.open()
const program = guest('victim.s')
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)
const ring = await vcpu.run()
answer('victim', ring.reason)
print('the victim has written its secret:', ring)

const peek = await attempt(ram.read64(program.symbol('SECRET_PAGE')))
print('the host tries to read it:', peek.ok ? peek.value : peek.error.code)

// The thief: a second protected VM.
const thief = guest('thief.s')
const vm1 = await dev.createVm({ protected: true })
const ram1 = await vm1.addMemory({ guestAddress: thief.address, bytes: 4096 })
await ram1.load(thief)
// <- give vm1 a second region, at thief.symbol('REGION'): not fresh memory, but the victim's

const vcpu1 = await vm1.createVcpu()
await vcpu1.set('pc', thief.entry)
const loot = await attempt(vcpu1.run())
if (!loot.ok) print('the thief does not get far:', loot.error.code)
else {
  print('the thief rings:', loot.value)
  if (loot.value.reason === 'mmio' && loot.value.isWrite) answer('loot', loot.value.value)
}
// Both VMs stay open: the next step needs them.
