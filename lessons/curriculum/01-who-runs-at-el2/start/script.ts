import { answer, guest, host, kvm, print } from 'lab'

// 1. What does KVM say of itself?
const messages = await host.messages()
const about = messages.filter(line => line.includes('kvm'))
for (const line of about) print(line)

const mode = about[0] // <- the first line that mentions kvm; find the one in which KVM names its mode
answer('mode', mode ?? 'nothing')
print('KVM says:', mode)

// 2. Where does a guest run? A VM with four pages of memory, and one virtual processor.
const dev = await kvm.open()
const vm = await dev.createVm()
const ram = await vm.addMemory({ guestAddress: 0x4000_0000n, bytes: 4 * 4096 })
const vcpu = await vm.createVcpu()
await vcpu.set('pc', await ram.load(guest('guest.s')))

const exit = await vcpu.run()
if (exit.reason === 'mmio' && exit.isWrite) {
  answer('guest', exit.value)
  print('the guest says: EL', Number(exit.value))
}
await vm.close()
