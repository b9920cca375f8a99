import { answer, attempt, guest, hex, kvm, print, syscall } from 'lab'

const program = guest('guest.s')
const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: 0x4000_0000n, bytes: 5 * 4096 })
await ram.load(program)
await ram.write32(0x4000_4000n, 0x44444444)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

const pages = { PRIVATE: 0x4000_1000n, OFFER: 0x4000_2000n, DRAFT: 0x4000_3000n, UNTOUCHED: 0x4000_4000n }

/** One word of each page, as the host reads it. */
async function look(when: string) {
  print(when)
  for (const [name, address] of Object.entries(pages)) {
    const word = await attempt(ram.read32(address))
    print('   ', name, word.ok ? hex(word.value, 8) : word.error.code)
    answer(`${when}: ${name}`, word.ok ? word.value : word.error.code)
  }
}

await vcpu.run()
await look('while it runs')
const exit = await vcpu.run()
print('the guest stops:', exit.reason)
await look('switched off')

await syscall('close', vm.fd)   // <- this is not enough to end the VM
await look('closed')
