import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { requireOrSkip } from './require-or-skip.ts';

/** SwiftShader, a Vulkan device in software that Debian's Chromium brings. */
const driver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/**
 * Makes this process find the software device, and no other: to be called before anything asks for a GPU.
 *
 * @returns whether there is one, for `describe.runIf(...)`.
 */
export function useSoftwareGpu(): boolean {
  const isThere = process.platform === 'linux' && existsSync(driver) && hasVulkanLoader();
  process.env['VK_ICD_FILENAMES'] = driver;
  process.env['VK_DRIVER_FILES'] = driver;
  return requireOrSkip('a software GPU', isThere, 'install the Debian packages chromium and libvulkan1.');
}

function hasVulkanLoader(): boolean {
  try {
    return execFileSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' }).includes('libvulkan.so.1');
  } catch {
    return false;
  }
}
