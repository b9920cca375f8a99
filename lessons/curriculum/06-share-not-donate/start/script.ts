import { answer, guest, kvm, mem, print } from 'lab'

const program = guest('guest.s')
const MAIL = program.symbol('MAIL')

const dev = await kvm.open()
const vm = await dev.createVm() // type 0: a normal VM
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

// 1. The guest leaves a letter on the page MAIL, and rings.
print('first ring:', await vcpu.run())
const letter = await ram.read64(MAIL)
const page = await mem.physical(ram.hostAddress(MAIL))
answer('letter', letter)
print('the host reads', letter, 'on the page', page)

// 2. The host answers on the same page.
// <- write a number of your own to MAIL, as the host, before the guest runs on
const ring = await vcpu.run()
if (ring.reason === 'mmio' && ring.isWrite) {
  answer('heard', ring.value)
  print('the guest heard', ring.value)
}

// 3. Who has the page once the VM is gone?
// <- close the VM
print('on the page, afterwards:', await ram.read64(MAIL))
