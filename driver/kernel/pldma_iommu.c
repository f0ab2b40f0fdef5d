// SPDX-License-Identifier: GPL-2.0
/*
 * pldma: what is known about the IOMMU of a DMA device
 *
 * In a domain of the type IOMMU_DOMAIN_DMA, a translation leaves the cache of the IOMMU
 * before unmapping returns (strict mode). In IOMMU_DOMAIN_DMA_FQ that happens later
 * (lazy mode). An identity domain passes addresses through. The type may change from
 * strict to lazy at any time, so nothing here is remembered.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/pci.h>

#include "pldma_priv.h"

/* the domain through which the DMA API maps memory, or NULL without translation */
static struct iommu_domain *pldma_domain(struct device *dev)
{
#ifdef CONFIG_IOMMU_API
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (domain && domain->type & __IOMMU_DOMAIN_PAGING)
		return domain;
#endif
	return NULL;
}

/* the kernel may give bounce buffers to such a device although there is an IOMMU */
static bool pldma_untrusted(struct device *dev)
{
	return dev_is_pci(dev) && to_pci_dev(dev)->untrusted;
}

/**
 * pldma_translated() - check whether an IOMMU gives a device bus addresses of its own
 * @dev: the DMA device
 *
 * Return: true if it does.
 */
bool pldma_translated(struct device *dev)
{
	return pldma_domain(dev);
}

/**
 * pldma_need_sync() - check whether sync calls have an effect on a mapping
 * @dev: the DMA device
 * @addr: bus address of the mapping
 *
 * Behind an IOMMU, dma_need_sync() of Linux 6.1 is true also for coherent devices,
 * although sync calls return at once then.
 *
 * Return: true if they have.
 */
bool pldma_need_sync(struct device *dev, dma_addr_t addr)
{
	if (pldma_translated(dev) && dev_is_dma_coherent(dev) && !pldma_untrusted(dev))
		return false;
	return dma_need_sync(dev, addr);
}

/**
 * pldma_strict_domain() - find the domain in which unmapping is proof
 * @dev: the DMA device
 *
 * After memory is unmapped from this domain, the device cannot access the memory any
 * more. Where that is not certain, the answer is NULL.
 *
 * Return: the domain, or NULL.
 */
struct iommu_domain *pldma_strict_domain(struct device *dev)
{
#ifdef CONFIG_IOMMU_API
	struct iommu_domain *domain = pldma_domain(dev);

	/* with larger pages, the DMA API would map more than was asked for */
	if (domain && domain->type == IOMMU_DOMAIN_DMA && domain->pgsize_bitmap & PAGE_SIZE &&
	    !pldma_untrusted(dev))
		return domain;
#endif
	return NULL;
}
