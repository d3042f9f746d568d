export { DeviceAttachment } from './attachment.js';
export {
  DMA_ENTRY_LIMIT,
  EncryptedDevice,
  type AttachOptions,
  type DeviceState,
  type EncryptedDeviceOptions,
} from './device.js';
export { IommuTable, type Unmapped } from './iommu-table.js';
export { KEY_BYTES, PageCipher } from './page-cipher.js';
