// All file sources; each is defined in the file of its name.
#pragma once

#include <hawser/core/error.hpp>
#include <hawser/discovery/source.hpp>

namespace hawser::discovery {

extern const file_source hawser_json;
extern const file_source nccl_xml;
extern const file_source flagcx_xml;
extern const file_source hwloc_xml;
extern const file_source smi_query_xml;
extern const file_source smi_query;
extern const file_source smi_topo;
extern const file_source smi_p2p;
extern const file_source smi_nvlink;
extern const file_source fabric_csv;
extern const file_source rocm_topo;
extern const file_source ibnetdiscover;
extern const file_source ibnetdiscover_ports;
extern const file_source iblinkinfo;
extern const file_source ibsim_net;
extern const file_source slurm_conf;
extern const file_source slurm_yaml;
extern const file_source cluster_uuids;
extern const file_source kubernetes;
extern const file_source topograph;
extern const file_source simgrid;
extern const file_source astra_sim;
extern const file_source htsim;

}  // namespace hawser::discovery
