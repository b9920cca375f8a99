import { openWorkspace, useFiles } from './files-store.ts'

/** The learner's own workspace, which belongs to no lesson. */
export const FREE = 'free'

const examples = import.meta.glob<string>('../../lessons/kvm/example/*.{ts,s}', {
  query: '?raw',
  import: 'default',
  eager: true,
})

const MAIN = `import { kvm, print } from 'lab'

// A virtual machine with one processor, from the user's side of KVM.
const dev = await kvm.open()
const vm = await dev.createVm()
print('a VM with descriptor', vm.fd)
await vm.close()
`

const GUEST = `// What runs inside the virtual machine, at EL1 with its MMU off.

        mov     x0, #42
        hvc     #0              // out to the hypervisor
1:      wfi
        b       1b
`

/** Opens the free workspace, unless another one is shown already. */
export async function openFreeWorkspace(): Promise<void> {
  const files: Record<string, string> = {}
  const scriptsFirst = Object.entries(examples).sort(
    ([a], [b]) => Number(b.endsWith('.ts')) - Number(a.endsWith('.ts')),
  )
  for (const [path, text] of scriptsFirst) files[path.slice(path.lastIndexOf('/') + 1)] = text
  if (Object.keys(files).length === 0) Object.assign(files, { 'main.ts': MAIN, 'guest.s': GUEST })
  await openWorkspace(FREE, files, { title: 'Your files', show: useFiles.getState().current === null, open: 'main.ts' })
}
