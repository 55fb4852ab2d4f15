#ifndef SQUALL_CSYSTEM_H
#define SQUALL_CSYSTEM_H
#endif
