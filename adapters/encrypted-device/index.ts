export { DeviceAttachment } from './attachment.js';
export { EncryptedDevice, type DeviceState } from './device.js';
export { IommuTable, type Unmapped } from './iommu-table.js';
export { DMA_ENTRY_LIMIT, type AttachOptions, type EncryptedDeviceOptions } from './options.js';
export { KEY_BYTES, PageCipher } from './page-cipher.js';
